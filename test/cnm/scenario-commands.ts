import type { DefaultBridge, Endpoint, NetworkOptions, Sandbox } from "../../src/cnm/index.ts";
import type { KernelObject } from "../../src/kernel/index.ts";
import type { StableNames } from "./tables-text.ts";
import type { World } from "./world.ts";

/** A command's words: plain ones, and what was given with `--name`, several times perhaps. */
interface Words {
  readonly plain: readonly string[];
  readonly given: ReadonlyMap<string, readonly string[]>;
}

const switches = [
  "ipv6",
  "no-ipv4",
  "internal",
  "force",
  "host",
  "publish-all",
  "none",
  "config-only",
  "attachable",
];

function wordsOf(line: string): Words {
  const tokens = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "");
  const plain: string[] = [];
  const given = new Map<string, string[]>();
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] ?? "";
    if (!token.startsWith("--")) {
      plain.push(token);
      continue;
    }
    const name = token.slice(2);
    const value = switches.includes(name) ? "true" : (tokens[++i] ?? "");
    given.set(name, [...(given.get(name) ?? []), value]);
  }
  return { plain, given };
}

function one(words: Words, name: string): string | undefined {
  return words.given.get(name)?.at(-1);
}

function pairs(words: Words, name: string): Record<string, string> {
  const entries = (words.given.get(name) ?? []).map((text): [string, string] => {
    const [key = "", ...rest] = text.split("=");
    return [key, rest.join("=")];
  });
  return Object.fromEntries(entries);
}

/** `{ [key]: value }`, or nothing when there is no value. */
function maybe<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  // A computed key of a generic type loses its name.
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]: V });
}

/** Carries out a line of a scenario. Gives lines to show besides the tables; throws what weft throws. */
export async function runCommand(world: World, names: StableNames, line: string): Promise<readonly string[]> {
  const words = wordsOf(line);
  const [verb = "", ...rest] = words.plain;
  const known = commands[verb] ?? commands[`${verb} ${rest[0]}`];
  if (known === undefined) throw new Error(`unknown command: ${line}`);
  const args = commands[verb] === undefined ? rest.slice(1) : rest;
  return (await known(world, { ...words, plain: args }, names)) ?? [];
}

type Command = (world: World, words: Words, names: StableNames) => Promise<readonly string[] | undefined>;

/** A command whose outcome the tables show. */
function doing(work: (world: World, words: Words, names: StableNames) => unknown): Command {
  return async (world, words, names) => {
    await work(world, words, names);
    return undefined;
  };
}

function arg(words: Words, index: number): string {
  const word = words.plain[index];
  if (word === undefined) throw new Error(`argument ${index + 1} is missing`);
  return word;
}

function endpointAt(world: World, words: Words): Endpoint {
  return world.controller.network(arg(words, 0)).endpoint(arg(words, 1));
}

function networkOptions(words: Words): NetworkOptions {
  const subnets = (words.given.get("subnet") ?? []).map((subnet) => ({
    subnet,
    ...(subnet.includes(":") ? {} : maybe("gateway", one(words, "gateway"))),
    ...(subnet.includes(":") ? {} : maybe("ipRange", one(words, "ip-range"))),
    ...(subnet.includes(":") ? {} : { auxAddresses: pairs(words, "aux") }),
  }));
  return {
    ipv6: words.given.has("ipv6"),
    ipv4: !words.given.has("no-ipv4"),
    internal: words.given.has("internal"),
    ...(words.given.has("opt") ? { options: pairs(words, "opt") } : {}),
    ...(words.given.has("label") ? { labels: pairs(words, "label") } : {}),
    ...(words.given.has("config-only") ? { configOnly: true } : {}),
    ...(words.given.has("attachable") ? { attachable: true } : {}),
    ...maybe("configFrom", one(words, "config-from")),
    ...maybe("scope", one(words, "scope")),
    ipam: { subnets },
  };
}

/** `--set name=value`, several times; `--none` for no bridge. */
function bridgeSettings(words: Words): DefaultBridge | "none" {
  if (words.given.has("none")) return "none";
  const read = (text: string) => (/^(true|false|[0-9]+)$/.test(text) ? JSON.parse(text) : text);
  return Object.fromEntries(Object.entries(pairs(words, "set")).map(([name, text]) => [name, read(text)]));
}

function joinOptions(words: Words) {
  const priority = one(words, "priority");
  return {
    ...maybe("priority", priority === undefined ? undefined : Number(priority)),
    ...maybe("interfaceName", one(words, "ifname")),
  };
}

function endpointOptions(words: Words) {
  return {
    ...maybe("ipv4Address", one(words, "ip")),
    ...maybe("macAddress", one(words, "mac")),
    ...maybe("ipv6Address", one(words, "ip6")),
    ...maybe("aliases", words.given.get("alias")),
    ...maybe("linkLocalAddresses", words.given.get("link-local")),
    options: pairs(words, "opt"),
  };
}

function createSandbox({ controller }: World, words: Words): Promise<Sandbox> {
  return controller.createSandbox(arg(words, 0), {
    ...maybe("hostname", one(words, "hostname")),
    ...maybe("domainName", one(words, "domain")),
    ...maybe("dns", words.given.get("dns")),
    ...maybe("dnsSearch", words.given.get("search")),
    ...maybe("dnsOptions", words.given.get("dns-opt")),
    ...maybe("ports", words.given.get("publish")),
    ...maybe("exposedPorts", words.given.get("expose")),
    publishAll: words.given.has("publish-all"),
    extraHosts: pairs(words, "add-host"),
    sysctls: pairs(words, "sysctl"),
    hostNetns: words.given.has("host"),
  });
}

async function drift(world: World): Promise<readonly string[]> {
  const drifts = await world.controller.drift();
  const lines = drifts.map((one) => `${one.drift}: ${one.identity.replace(world.paths.run, "")}`).sort();
  return lines.length === 0 ? ["no drift"] : lines;
}

const commands: Readonly<Record<string, Command>> = {
  "network create": doing((world, words) =>
    world.controller.createNetwork(arg(words, 0), arg(words, 1), networkOptions(words)),
  ),
  predefined: doing((world, words) => world.controller.ensurePredefined({ bridge: bridgeSettings(words) })),
  "network delete": doing((world, words) => world.controller.network(arg(words, 0)).delete()),
  "endpoint create": doing((world, words) =>
    world.controller.network(arg(words, 0)).createEndpoint(arg(words, 1), endpointOptions(words)),
  ),
  "endpoint delete": doing((world, words) =>
    endpointAt(world, words).delete({ force: words.given.has("force") }),
  ),
  "sandbox create": doing(createSandbox),
  "sandbox delete": doing((world, words) => world.controller.sandbox(arg(words, 0)).delete()),
  join: doing((world, words) =>
    endpointAt(world, words).join(world.controller.sandbox(arg(words, 2)), joinOptions(words)),
  ),
  leave: doing((world, words) => endpointAt(world, words).leave()),
  connect: doing((world, words) =>
    world.controller.sandbox(arg(words, 1)).connect(world.controller.network(arg(words, 0)), {
      ...maybe("name", one(words, "name")),
      ...endpointOptions(words),
      ...joinOptions(words),
    }),
  ),
  restart: doing((world) => world.restart()),
  kill: doing((world, words) => {
    const port = one(words, "take-port");
    return world.kill(port === undefined ? undefined : () => world.hand.takePort(Number(port)));
  }),
  purge: doing(async (world) => {
    await world.controller.purge();
    await world.open();
  }),
  drift,
  repair: async (world) => {
    const failures = await world.controller.repair();
    return failures.map(({ what, error }) => `not repaired: ${what}: ${String(error)}`);
  },
  // Those of a sandbox are not in the tables.
  sysctl: async (world, words) => {
    const netns = world.controller.sandbox(arg(words, 0)).key;
    const lookUp = words.plain
      .slice(1)
      .map((key): KernelObject => ({ kind: "sysctl", netns, key, value: "" }));
    const found = await world.bare.kernel.read({ namespaces: [], lookUp });
    return found
      .flatMap(({ object }) => (object.kind === "sysctl" ? [`${object.key} = ${object.value}`] : []))
      .sort();
  },
  "host add-bridge": doing((world, words) => world.hand.addBridge(arg(words, 0))),
  "host add-veth": doing((world, words) => world.hand.addVeth(arg(words, 0))),
  "host add-marked-bridge": doing((world, words) => world.hand.addMarkedBridge(arg(words, 0))),
  "host add-uplink": doing((world, words) => world.hand.addUplink(arg(words, 0))),
  "host add-vlan": doing((world, words) =>
    world.hand.addVlan(arg(words, 0), arg(words, 1), Number(arg(words, 2))),
  ),
  "host enslave": doing((world, words) => world.hand.enslave(arg(words, 0), arg(words, 1))),
  "host release": doing((world, words) => world.hand.enslave(arg(words, 0), undefined)),
  "host set-mtu": doing((world, words) => world.hand.setMtu(arg(words, 0), Number(arg(words, 1)))),
  "host delete-link": doing((world, words, names) => world.hand.deleteLink(names.real(arg(words, 0)))),
  "host add-address": doing((world, words, names) =>
    world.hand.addAddress(names.real(arg(words, 0)), arg(words, 1)),
  ),
  "host flush-nft": doing((world) => world.hand.flushNftables()),
  "host sysctl": doing((world, words) => world.hand.setSysctl(arg(words, 0), arg(words, 1))),
  "host give-up-port": doing((world, words) => world.hand.giveUpPort(Number(arg(words, 0)))),
  "host write": doing((world, words) => {
    const { files } = world.controller.sandbox(arg(words, 0));
    const file = files.find(({ source }) => source.endsWith(`/${arg(words, 1)}`));
    world.hand.writeFile(file?.source ?? "", `${arg(words, 2)}\n`);
  }),
};
