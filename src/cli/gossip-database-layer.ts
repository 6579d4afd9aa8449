import { messageOf, WeftError } from "../core/index.ts";
import {
  type KeyAnswers,
  type KeyOperation,
  type Membership,
  NetworkDb,
  placeText,
} from "../gossip/index.ts";
import type { GossipLayer, LayerInit, MemberLine, TableLine } from "./gossip-layer.ts";

/** What the agent does in the database besides watching. */
export interface DatabaseWishes {
  /** Ids of networks to come to. */
  readonly networks: readonly string[];
  /** NETWORK/TABLE/KEY=VALUE, entries of the agent's own. */
  readonly entries: readonly string[];
}

/** The states of the database's nodes in the words of the other mode. */
const statusWords = { active: "alive", failed: "failed", left: "left" } as const;

/** The layer that takes part in a network database, as libnetwork's peers do. Throws INVALID_OPTION for a bad entry. */
export function databaseLayer(init: LayerInit, wishes: DatabaseWishes): GossipLayer {
  const database = new NetworkDb(init.environment);
  const entries = wishes.entries.map(parseEntry);
  const networks = new Set([...wishes.networks, ...entries.map(({ network }) => network)]);
  let running: Membership | undefined;
  const membership = () => {
    if (running === undefined) throw new WeftError("GOSSIP_CLOSED", "the agent has not started yet");
    return running;
  };
  return {
    delegate: database,
    versions: { min: 0, max: 0, current: 0 },
    attach: (given) => {
      running = given;
    },
    begin: () => {
      database.start(membership());
      for (const network of networks) void database.joinNetwork(network); // never rejects
      for (const { network, table, key, value } of entries) database.create(network, table, key, value);
    },
    join: (places) => membership().join(places),
    leave: async (timeout) => {
      database.leave();
      await membership().leave(timeout);
    },
    members: () => memberLinesOf(database, membership()),
    keys: async (operation, key) => ownKeys(init, operation, key),
    tables: () => tableLinesOf(database),
    close: () => database.stop(),
  };
}

function memberLinesOf(database: NetworkDb, membership: Membership): readonly MemberLine[] {
  const places = new Map(
    [...membership.failed(), ...membership.everyone()].map((one) => [one.name, placeText(one)]),
  );
  const others = database.nodes().filter(({ name }) => name !== membership.self);
  return [{ name: membership.self, state: "active" as const }, ...others].map(({ name, state }) => ({
    Name: name,
    Address: places.get(name) ?? "-",
    Status: statusWords[state],
    Tags: {},
  }));
}

function tableLinesOf(database: NetworkDb): readonly TableLine[] {
  return database.networks().flatMap((network) =>
    database.tables(network).flatMap((table) =>
      database.list(network, table).map(({ key, owner, value }) => ({
        Network: network,
        Table: table,
        Key: key,
        Owner: owner,
        Value: Buffer.from(value).toString("hex"),
      })),
    ),
  );
}

/** Libnetwork's peers are told their keys by their managers, not by gossip: only this agent's are changed. */
function ownKeys({ keyring, keysChanged }: LayerInit, operation: KeyOperation, key: Uint8Array): KeyAnswers {
  if (keyring === undefined)
    throw new WeftError("GOSSIP_KEY", "this node does not encrypt: start it with --encrypt");
  const failures = new Map<string, string>();
  try {
    if (operation !== "list") keyring[operation](key);
    keysChanged();
  } catch (error) {
    failures.set("this node", messageOf(error));
  }
  const keys = keyring.keys.map((one) => Buffer.from(one).toString("base64"));
  return {
    members: 1,
    answered: 1,
    failures,
    keys: new Map(keys.map((one) => [one, 1])),
    primaries: new Map(keys.slice(0, 1).map((one) => [one, 1])),
  };
}

function parseEntry(text: string) {
  const match = /^([^/]+)\/([^/]+)\/([^=]+)=(.*)$/s.exec(text);
  const [, network, table, key, value] = match ?? [];
  if (network === undefined || table === undefined || key === undefined || value === undefined)
    throw new WeftError("INVALID_OPTION", `--entry ${text}: it takes NETWORK/TABLE/KEY=VALUE`);
  return { network, table, key, value: Buffer.from(value) };
}
