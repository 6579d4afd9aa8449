import { WeftError } from "../../core/index.ts";
import { hostNetns, type KernelObject } from "../../kernel/index.ts";
import type { Wanted } from "../../plan/index.ts";
import type { DriverNetwork } from "../contract.ts";
import {
  findParent,
  type ParentAnswer,
  planParent,
  refuseAddresses,
  refuseMissing,
  refuseMtu,
} from "../parent/index.ts";
import type { BridgeAnswer, BridgeFacts } from "./facts.ts";
import { type BridgeOptions, bridgeOption } from "./options.ts";

/**
 * Ports of the host's bridge that others put there. None where this kernel cannot tell by which port a frame came:
 * what comes by them is judged as what comes from sandboxes.
 */
export function othersPorts(
  bridge: string,
  { underlayPorts, parents }: Pick<BridgeFacts, "underlayPorts" | "parents">,
): readonly string[] {
  const ports = underlayPorts(bridge);
  return ports.length === 0 || parents.missingModule("nftables bridge") === undefined ? ports : [];
}

/** What of a network's options says how its parent has to be. */
type Asked = Pick<BridgeOptions, "parent" | "mtu"> & Pick<DriverNetwork, "ipv6">;

/**
 * The link that is to become a port of a network's bridge; none when none is asked for. Throws
 * PARENT_HAS_ADDRESSES, and what {@link findParent} throws.
 */
export function findBridgeParent(
  { parent, mtu, ipv6 }: Asked,
  bridge: string,
  facts: Pick<BridgeFacts, "parents">,
): ParentAnswer | undefined {
  if (parent === undefined) return undefined;
  refuseBridges(parent, bridge, facts);
  refuseMissing("nftables bridge", "a bridge network with a parent", facts.parents);
  const answer = findParent({ driver: "bridge", parent, use: "bridge port" }, facts.parents);
  refuseAddresses(
    parent,
    `let the host have one as the network's gateway, or make a bridge with ${parent} and those addresses ` +
      `yourself and name it by ${bridgeOption.name}`,
    facts.parents,
  );
  refuseMtu({ ipv6 }, { mtu }, answer);
  return answer;
}

/**
 * What the host must hold for a bridge's ports to the underlay. Those that others put there are there as long
 * as those others want: to say so lets changes of them be heard of.
 */
export function planUnderlayPorts({ bridge, parent, underlayPorts = [] }: BridgeAnswer): readonly Wanted[] {
  const others = underlayPorts.filter((link) => link !== parent?.link);
  const links = others.map((name): Wanted => {
    return { object: { kind: "link", netns: hostNetns, name, spec: { type: "adopted" } } };
  });
  return [...links, ...(parent === undefined ? [] : planParentPort(parent, bridge))];
}

/**
 * What the host must hold for a parent: the link, its place in the bridge, and that it is up. Of a link that is
 * somebody else's, all of that is as it was before once no network wants it.
 */
function planParentPort(parent: ParentAnswer, bridge: string): readonly Wanted[] {
  const { link } = parent;
  const port: KernelObject = {
    kind: "port",
    netns: hostNetns,
    link,
    master: bridge,
    // Whoever is on the wire sees to its own: sandboxes that may not talk to each other do talk to it.
    hairpin: false,
    isolated: false,
  };
  const up: KernelObject = { kind: "up", netns: hostNetns, link };
  return [...planParent(parent), { object: port }, ...(parent.origin === "adopted" ? [{ object: up }] : [])];
}

/** Throws INVALID_OPTION, PARENT_IN_USE: a bridge is no port of another, and a port is one of one bridge. */
function refuseBridges(parent: string, bridge: string, { parents }: Pick<BridgeFacts, "parents">): void {
  const link = parents.link(parent);
  if (link?.kind === "bridge" && !link.ours) {
    throw new WeftError(
      "INVALID_OPTION",
      `invalid ${bridgeOption.parent} ${parent}: it is a bridge: use it as the network's by ${bridgeOption.name}`,
    );
  }
  const master = link?.master === undefined ? undefined : parents.link(link.master);
  if (master?.kind !== "bridge" || master.ours) return;
  const instead =
    master.name === bridge
      ? `leave out ${bridgeOption.parent}`
      : `use that as the network's by ${bridgeOption.name}, or take it out first (ip link set ${parent} nomaster)`;
  throw new WeftError(
    "PARENT_IN_USE",
    `parent interface ${parent} is a port of bridge ${master.name} already: ${instead}`,
  );
}
