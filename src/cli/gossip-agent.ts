import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { hostname, networkInterfaces } from "node:os";
import { addressToBytes, type IpAddress, isIpv4, parseAddress, WeftError } from "../core/index.ts";
import {
  type Environment,
  type GossipLog,
  type GossipProfile,
  gossipProfiles,
  Keyring,
  Membership,
  openSocketTransport,
  type Place,
  systemDice,
  systemTimers,
} from "../gossip/index.ts";
import { type ControlRequest, serveControl } from "./gossip-control.ts";
import { databaseLayer } from "./gossip-database-layer.ts";
import type { GossipLayer } from "./gossip-layer.ts";
import { serfLayer } from "./gossip-serf-layer.ts";

/** The options of `weft gossip agent`, as commander gives them. */
export interface AgentOptions {
  readonly bind: string;
  readonly advertise?: string;
  readonly name?: string;
  readonly join: readonly string[];
  readonly encrypt?: string;
  readonly keyringFile?: string;
  readonly mode: string;
  readonly profile: string;
  readonly label?: string;
  readonly tag: readonly string[];
  readonly network: readonly string[];
  readonly entry: readonly string[];
  readonly reconnectInterval?: string;
  readonly socket: string;
  readonly quiet?: boolean;
}

/** memberlist's port. */
export const defaultPort = 7946;
/** How long leaving may take, ms. */
const leaveTimeout = 10_000;
/** After it was told, a leave is given so long to spread (Serf's LeavePropagateDelay), ms. */
const leavePropagation = 1000;

/** Runs an agent in the foreground until it is told to end (SIGINT, SIGTERM), which it does by leaving the cluster. */
export async function runAgent(options: AgentOptions): Promise<void> {
  const bind = parsePlace(options.bind);
  const advertise = advertised(bind, options.advertise);
  const keyring = keyringOf(options);
  const log = agentLog(options.quiet ?? false);
  const environment: Environment = { timers: systemTimers, dice: systemDice, log };
  const layer = layerOf(options, environment, keyring);
  const profile = profileOf(options);
  const transport = await openSocketTransport({ bind, advertise });
  const membership = new Membership({
    name: options.name ?? hostname(),
    transport,
    environment,
    profile,
    keyring,
    ...(options.label !== undefined && { label: options.label }),
    delegateVersions: layer.versions,
    delegate: layer.delegate,
    hooks: {
      conflict: ({ name }, { address, port }) =>
        log.warn("another node has the name", { name, address, port }),
    },
  });
  layer.attach(membership);
  try {
    const control = await serveControl(options.socket, (request) => answer(layer, request));
    try {
      membership.start();
      layer.begin();
      log.info("gossip agent runs", { name: membership.self, ...membership.place, socket: options.socket });
      if (options.join.length > 0)
        log.info("joined", { answered: await layer.join(options.join.map((text) => parsePlace(text))) });
      await ended();
      await layer.leave(leaveTimeout);
      await new Promise((resolve) => setTimeout(resolve, leavePropagation));
    } finally {
      control.close();
    }
  } finally {
    layer.close();
    await membership.close();
  }
}

async function answer(layer: GossipLayer, request: ControlRequest): Promise<unknown> {
  switch (request.call) {
    case "members":
      return layer.members();
    case "tables":
      return layer.tables();
    case "keys": {
      const key = request.operation === "list" ? new Uint8Array(0) : parseKey(request.key);
      const { members, answered, failures, keys, primaries } = await layer.keys(request.operation, key);
      const [f, k, p] = [failures, keys, primaries].map((map) => Object.fromEntries<unknown>(map));
      return { Members: members, Answered: answered, Failures: f, Keys: k, Primaries: p };
    }
  }
}

function layerOf(options: AgentOptions, environment: Environment, keyring: Keyring | undefined): GossipLayer {
  const keysChanged = () => {
    if (options.keyringFile !== undefined && keyring !== undefined) saveKeys(options.keyringFile, keyring);
  };
  const init = { environment, tags: tagsOf(options.tag), keyring, keysChanged };
  if (options.mode === "serf") return serfLayer(init);
  if (options.mode === "networkdb")
    return databaseLayer(init, { networks: options.network, entries: options.entry });
  throw new WeftError("INVALID_OPTION", `--mode ${options.mode}: it takes serf or networkdb`);
}

function profileOf({ profile, reconnectInterval }: AgentOptions): GossipProfile {
  if (profile !== "lan" && profile !== "wan" && profile !== "local")
    throw new WeftError("INVALID_OPTION", `--profile ${profile}: it takes lan, wan or local`);
  const base = gossipProfiles[profile];
  if (reconnectInterval === undefined) return base;
  const seconds = Number(reconnectInterval);
  if (!(seconds >= 0.1 && seconds <= 86_400))
    throw new WeftError(
      "INVALID_OPTION",
      `--reconnect-interval ${reconnectInterval}: it takes seconds, 0.1 to 86400`,
    );
  return { ...base, reconnectInterval: 1000 * seconds };
}

function tagsOf(tags: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    tags.map((tag) => {
      const at = tag.indexOf("=");
      if (at <= 0) throw new WeftError("INVALID_OPTION", `--tag ${tag}: it takes NAME=VALUE`);
      return [tag.slice(0, at), tag.slice(at + 1)];
    }),
  );
}

/** A place as people write it: ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT. Throws INVALID_ADDRESS. */
export function parsePlace(text: string): Place {
  const match =
    /^(?:\[([^\]]+)\]|([^:]+)|([0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? match?.[3];
  const port = match?.[4] === undefined ? defaultPort : Number(match[4]);
  if (host === undefined || port > 65_535)
    throw new WeftError(
      "INVALID_ADDRESS",
      `invalid address ${JSON.stringify(text)}: it should be ADDRESS:PORT`,
    );
  return { address: parseAddress(host), port };
}

/** What others are told: what was asked for, or where this node listens, or an address of the host's when that is all. */
function advertised(bind: Place, wanted: string | undefined): { address: IpAddress; port?: number } {
  if (wanted !== undefined) return parsePlace(wanted);
  if (addressToBytes(bind.address).some((byte) => byte !== 0)) return { address: bind.address };
  const family = isIpv4(bind.address) ? "IPv4" : "IPv6";
  for (const addresses of Object.values(networkInterfaces()))
    for (const { address, internal, family: found } of addresses ?? [])
      if (!internal && found === family && !address.startsWith("fe80:"))
        return { address: parseAddress(address) };
  throw new WeftError("INVALID_ADDRESS", `no address to tell others for ${bind.address}: give --advertise`);
}

/** A key as people write it, base64 of 16, 24 or 32 bytes. Throws GOSSIP_KEY. */
function parseKey(text: string): Buffer {
  const key = Buffer.from(text, "base64");
  if (key.toString("base64").replace(/=+$/, "") !== text.replace(/=+$/, ""))
    throw new WeftError("GOSSIP_KEY", "the key is not base64");
  return key;
}

/** The keyring of the file when there is one, as Serf keeps it (a list of keys, the primary one first), else of --encrypt. */
function keyringOf({ encrypt, keyringFile }: AgentOptions): Keyring | undefined {
  if (keyringFile !== undefined && existsSync(keyringFile)) {
    const keys: unknown = JSON.parse(readFileSync(keyringFile, "utf8"));
    if (!Array.isArray(keys) || !keys.every((key) => typeof key === "string"))
      throw new WeftError("GOSSIP_KEY", `${keyringFile} should be a list of keys in base64`);
    return new Keyring(keys.map(parseKey));
  }
  if (encrypt === undefined) return undefined;
  const keyring = new Keyring([parseKey(encrypt)]);
  if (keyringFile !== undefined) saveKeys(keyringFile, keyring);
  return keyring;
}

function saveKeys(file: string, keyring: Keyring): void {
  const keys = keyring.keys.map((key) => Buffer.from(key).toString("base64"));
  writeFileSync(`${file}.new`, `${JSON.stringify(keys, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function agentLog(quiet: boolean): GossipLog {
  const line = (level: string) => (message: string, facts: Readonly<Record<string, string | number>>) => {
    const details = Object.entries(facts).map(([name, value]) => `${name}=${value}`);
    process.stderr.write(`${new Date().toISOString()} [${level}] ${[message, ...details].join(" ")}\n`);
  };
  return { warn: line("WARN"), info: quiet ? () => {} : line("INFO") };
}

/** Resolves at the first signal to end; the next one ends the process at once. */
function ended(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
}
