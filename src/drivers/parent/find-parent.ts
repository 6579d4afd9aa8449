import { type Id, shortId, WeftError } from "../../core/index.ts";
import type { HostLink } from "../../facts/index.ts";
import { checkInterfaceName } from "../options.ts";
import { adoptedParent } from "./adopted.ts";
import type { DummyParent, MadeParent, ParentAnswer, ParentFacts, ParentUse } from "./answer.ts";
import type { ParentRequest } from "./parent-request.ts";
import { refuseNoStandIn } from "./stand-in.ts";
import { refuseTaken } from "./taken.ts";
import { parseVlanName, type VlanName } from "./vlan-name.ts";

/** What that option's value is called in a refusal. */
const what = "parent interface";

/**
 * Finds the link that a network is to be built on. One that is there is used as it is; a missing one of the
 * form `eth0.10` is a VLAN sub-interface for weft to make. Throws INVALID_OPTION, PARENT_MISSING,
 * PARENT_DOWN, PARENT_IN_USE and FEATURE_MISSING.
 */
export function findParent(request: ParentRequest, facts: ParentFacts): ParentAnswer {
  const { driver, parent, use } = request;
  checkInterfaceName(parent, what);
  const link = facts.link(parent);
  if (link !== undefined) refuseLoopback(link, driver);
  // weft's own: made for another network, which asked for it by the same name.
  const shared = facts
    .users()
    .map((user) => user.parent)
    .find((one): one is MadeParent => one.link === parent && one.origin === "made");
  if (shared !== undefined) {
    refuseTaken(parent, request, facts);
    refuseNoStandIn(shared, request, facts);
    return shared;
  }
  const vlan = link === undefined || isOwnVlan(link) ? parseVlanName(parent) : undefined;
  if (vlan !== undefined) {
    refuseAwaited(parent, facts);
    return newVlan(request, vlan, facts);
  }
  if (link === undefined) {
    throw new WeftError(
      "PARENT_MISSING",
      `invalid subinterface vlan name ${parent}, example formatting is eth0.10: the host has no interface ${parent}`,
    );
  }
  refuseUnusable(link, use);
  refuseTaken(link, request, facts);
  return adoptedParent(link);
}

/**
 * The link of a network that names no parent. `prefix` says whose it is: `dm` or `di` (LN §1.5, §1.6).
 * Throws FEATURE_MISSING.
 */
export function dummyParent(
  prefix: "dm" | "di",
  network: Id,
  mtu: number | undefined,
  facts: ParentFacts,
): DummyParent {
  refuseMissing("dummy", "a network without a parent", facts);
  return {
    origin: "dummy",
    link: `${prefix}-${shortId(network)}`,
    mtu: mtu ?? defaultMtu,
    ipv6Available: facts.ipv6Available(),
  };
}

/** What Linux gives a dummy link, bytes. */
const defaultMtu = 1500;

/** Throws FEATURE_MISSING, naming the module, when this kernel lacks what `who` needs. */
export function refuseMissing(
  feature: Parameters<ParentFacts["missingModule"]>[0],
  who: string,
  facts: Pick<ParentFacts, "missingModule">,
): void {
  const module = facts.missingModule(feature);
  if (module === undefined) return;
  throw new WeftError(
    "FEATURE_MISSING",
    `this kernel lacks ${feature}, which ${who} needs: load the module ${module}, or use a kernel that has it`,
  );
}

/** One that a deletion has not reached yet, or that a crash left. */
function isOwnVlan({ ours, kind }: HostLink): boolean {
  return ours && kind === "vlan";
}

/** Throws PARENT_MISSING for a link of somebody else's that networks wait for: it cannot be that, and weft's, when it is there. */
function refuseAwaited(name: string, facts: ParentFacts): void {
  const waiting = facts.users().filter(({ parent }) => parent.link === name && parent.origin === "adopted");
  if (waiting.length === 0) return;
  const networks = waiting.map(({ network }) => network).join(", ");
  throw new WeftError(
    "PARENT_MISSING",
    `parent interface ${name}, which weft did not make, is not there any more, and is waited for by network ` +
      `${networks}: make it again, or remove what waits for it, and weft makes one`,
  );
}

/** A VLAN sub-interface that is to be made for the first of its networks. */
function newVlan({ driver, parent: name }: ParentRequest, vlan: VlanName, facts: ParentFacts): MadeParent {
  const below = facts.link(vlan.parent);
  if (below === undefined) {
    throw new WeftError(
      "PARENT_MISSING",
      `parent interface ${name} cannot be made: the host has no interface ${vlan.parent}`,
    );
  }
  refuseLoopback(below, driver);
  if (below.ours) throw ownLink(below);
  if (!below.up) {
    throw new WeftError(
      "PARENT_DOWN",
      `interface ${below.name} is down, so its VLAN sub-interface ${name} cannot be up: bring it up first (ip link set ${below.name} up)`,
    );
  }
  // The link's own name, whatever other name of it was asked for: what is found on the host is told by that.
  const own = { parent: below.name, id: vlan.id };
  refuseSameVlan(name, own, facts);
  refuseMissing("802.1Q", `VLAN sub-interface ${name}`, facts);
  return { origin: "made", link: name, mtu: below.mtu, vlan: own, ipv6Available: facts.ipv6Available() };
}

/** Throws PARENT_IN_USE when the VLAN is there under another name, or weft is to make it so: a link has one of each number. */
function refuseSameVlan(name: string, { parent, id }: VlanName, facts: ParentFacts): void {
  const there = facts
    .linksOn(parent)
    .flatMap((link) => (link.vlan?.id === id && link.vlan.protocol === "802.1Q" ? [link.name] : []));
  const wanted = facts.users().flatMap(({ parent: { link, ...one } }) => {
    const isSame = one.origin === "made" && one.vlan.parent === parent && one.vlan.id === id;
    return isSame ? [link] : [];
  });
  const other = [...there, ...wanted].find((link) => link !== name);
  if (other === undefined) return;
  throw new WeftError(
    "PARENT_IN_USE",
    `VLAN ${id} of ${parent} is interface ${other} already: name that as parent`,
  );
}

function refuseLoopback({ loopback }: HostLink, driver: string): void {
  if (loopback)
    throw new WeftError("INVALID_OPTION", `loopback interface is not a valid ${driver} parent link`);
}

/** Throws INVALID_OPTION for a link that nothing of the sort can be built on. */
function refuseUnusable(link: HostLink, use: ParentUse): void {
  if (link.ours) throw ownLink(link);
  if (link.mac === undefined && use !== "ipvlan")
    throw new WeftError(
      "INVALID_OPTION",
      `invalid ${what} ${link.name}: it is no Ethernet link, but of kind ${link.kind}`,
    );
  // The kernel would build on what is below them instead; or they know one MAC address alone.
  if (!["macvlan", "macvtap", "ipvlan", "ipvtap"].includes(link.kind) || use === "bridge port") return;
  throw new WeftError(
    "INVALID_OPTION",
    `invalid ${what} ${link.name}: it is of kind ${link.kind}: name the link that it is on`,
  );
}

function ownLink({ name, kind }: HostLink): WeftError {
  return new WeftError(
    "INVALID_OPTION",
    `invalid ${what} ${name}: weft made it (${kind}), and removes it with what it was made for: name a link of the host's own`,
  );
}
