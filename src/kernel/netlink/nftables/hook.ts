import { attribute, attributeList, attributes, nested } from "../attributes.ts";
import { type Codec, text, u32be } from "../wire.ts";
import type { TableFamily } from "./family.ts";

const inet = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4, ingress: 5 } as const;
const arp = { input: 0, output: 1, forward: 2 } as const;
const netdev = { ingress: 0, egress: 1 } as const;

/** NF_INET_*, NF_BR_*, NF_ARP_* and NF_NETDEV_*, by family. */
const hooks: Readonly<Record<TableFamily, Readonly<Record<string, number>>>> = {
  inet,
  ip: inet,
  ip6: inet,
  bridge: inet,
  arp,
  netdev,
};

/** Where on its way a packet meets a chain. */
export type HookName = keyof typeof inet | keyof typeof arp | keyof typeof netdev;

/** The priorities that nft has words for, smaller first. A bridge's are others. */
export const priorities = {
  raw: -300,
  mangle: -150,
  dstnat: -100,
  filter: 0,
  security: 50,
  srcnat: 100,
} as const;

/** What makes a chain a base chain: where packets enter it. */
export interface ChainHook {
  readonly type: "filter" | "nat" | "route";
  readonly hook: HookName;
  /** Chains at one hook are run in ascending order; see {@link priorities}. */
  readonly priority: number;
  /** What becomes of a packet that no rule judged. */
  readonly policy: "accept" | "drop";
  /** For the hooks ingress and egress: the interfaces. */
  readonly devices?: readonly string[];
}

/** A signed integer in network order, as priorities are. */
const i32be: Codec<number> = {
  write: (writer, value) => u32be.write(writer, value >>> 0),
  read: (bytes) => u32be.read(bytes) | 0,
};

const layout = attributes({
  number: attribute(1, u32be),
  priority: attribute(2, i32be),
  device: attribute(3, text),
  devices: nested(4, attributeList(1, text, { nested: false })),
});

/** NFTA_HOOK_*, without names: a hook's number means something else in each family. */
export const hookAttributes = layout;

/** What {@link hookAttributes} writes. */
export function hookToWire(family: TableFamily, hook: ChainHook) {
  const number = hooks[family][hook.hook];
  if (number === undefined) throw new RangeError(`family ${family} has no hook ${hook.hook}`);
  const [device, ...more] = hook.devices ?? [];
  const several = more.length > 0;
  return {
    number,
    priority: hook.priority,
    device: several ? undefined : device,
    devices: several ? hook.devices : undefined,
  };
}

type Wire = typeof layout extends Codec<infer T> ? T : never;

/** The place of a hook as it was dumped. Throws RangeError for one that the family does not have. */
export function hookFromWire(
  family: TableFamily,
  wire: Wire,
): Pick<ChainHook, "hook" | "priority" | "devices"> {
  const found = Object.entries(hooks[family]).find(([, number]) => number === wire.number);
  if (found === undefined) throw new RangeError(`family ${family} has no hook number ${wire.number}`);
  // The kernel tells a single device in both ways.
  const devices = wire.devices ?? (wire.device === undefined ? undefined : [wire.device]);
  return {
    hook: found[0] as HookName, // the keys of the tables above
    priority: wire.priority ?? 0,
    ...(devices === undefined ? {} : { devices }),
  };
}
