import { addressPart, contains, deepEqual, familyOf, isLinkLocal, networkOf } from "../../core/index.ts";
import type { Found, Operation } from "../kernel.ts";
import { KernelError } from "../kernel-error.ts";
import { hostNetns, type NetnsRef } from "../netns-ref.ts";
import type { AcceptRuleObject, NftElementObject } from "../nft-objects.ts";
import {
  alsoProvides,
  containersOf,
  type Identity,
  identityOf,
  type KernelObject,
  type LinkSpec,
  linkIdentity,
  netnsIdentityOf,
  type RouteObject,
  tableIdentity,
  type UpObject,
} from "../objects.ts";
import { ipv6LinkOf, linksWithoutIpv6 } from "./ipv6-of-links.ts";

/** Errno numbers of include/uapi/asm-generic/errno-base.h and errno.h that the twin refuses with. */
const errno = {
  ENOENT: 2,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ERANGE: 34,
  ENETDOWN: 100,
  ENETUNREACH: 101,
  EHOSTUNREACH: 113,
} as const;

type ErrnoName = keyof typeof errno;

/** What refusals are judged by. */
export interface Inventory {
  get(identity: Identity): Found | undefined;
  /** True when an object of that identity is there, or one that brings it along. */
  provides(identity: Identity): boolean;
  all(): readonly Found[];
  /** True when somebody else's base chain of that name is there. */
  hasForeignChain(chain: Omit<AcceptRuleObject, "kind">): boolean;
}

/** What Linux would say to the operation; undefined when it would carry it out. */
export function refusalOf(inventory: Inventory, operation: Operation): KernelError | undefined {
  const { op, object } = operation;
  if (op === "delete") return undefined;
  const name = op === "create" ? whyNotCreate(inventory, object) : whyNotChange(inventory, object);
  if (name === undefined) return undefined;
  return new KernelError({
    errno: errno[name],
    call: `${op} ${object.kind}`,
    object: identityOf(object),
  });
}

function whyNotChange(inventory: Inventory, object: KernelObject): ErrnoName | undefined {
  switch (object.kind) {
    case "link":
      return inventory.get(identityOf(object)) === undefined ? "ENODEV" : undefined;
    case "nft-table":
      return inventory.get(identityOf(object)) === undefined ? "ENOENT" : undefined;
    default:
      return whyNotCreate(inventory, object); // it puts the new value in the place of any
  }
}

function whyNotCreate(inventory: Inventory, object: KernelObject): ErrnoName | undefined {
  const missing = missingContainer(inventory, object);
  if (missing !== undefined) return missing;
  if (lacksIpv6(inventory, object)) return refusalWithoutIpv6[object.kind] ?? "EINVAL";
  switch (object.kind) {
    case "netns":
      return inventory.provides(identityOf(object)) ? "EEXIST" : undefined;
    case "nft-table":
      return inventory.provides(identityOf(object)) ? "EEXIST" : undefined;
    case "link":
      return whyNotLink(inventory, object);
    case "up":
      return whyNotUp(inventory, object);
    case "port":
      return childrenOf(inventory, object.netns, object.link).some(takesFrames) ? "EBUSY" : undefined;
    case "route":
      return whyNotRoute(inventory, object);
    case "nft-element":
      return whyNotElement(inventory, object);
    case "accept-rule":
      return inventory.hasForeignChain(object) ? undefined : "ENOENT";
    default:
      return undefined;
  }
}

function missingContainer(inventory: Inventory, object: KernelObject): ErrnoName | undefined {
  if (object.kind === "file" || object.kind === "netns") return undefined;
  if (object.netns !== hostNetns && !inventory.provides(netnsIdentityOf(object.netns))) return "ENOENT";
  const missing = containersOf(object).find((one) => !inventory.provides(one));
  if (missing === undefined) return undefined;
  return missing.startsWith("link ") && object.kind !== "sysctl" ? "ENODEV" : "ENOENT";
}

/** What Linux says of a setting, an address or a route on a link without IPv6. */
const refusalWithoutIpv6: Partial<Record<KernelObject["kind"], ErrnoName>> = {
  sysctl: "ENOENT",
  address: "EINVAL",
  route: "ENODEV",
};

/** True for what is of a link's IPv6 when that link's MTU is too small for any. */
function lacksIpv6(inventory: Inventory, object: KernelObject): boolean {
  const link = ipv6LinkOf(object);
  return link !== undefined && inventory.all().some((one) => linksWithoutIpv6(one.object).includes(link));
}

function whyNotLink(
  inventory: Inventory,
  object: KernelObject & { readonly kind: "link" },
): ErrnoName | undefined {
  const { spec, name } = object;
  if (spec.type === "adopted") return inventory.provides(identityOf(object)) ? undefined : "ENODEV";
  if (spec.type === "moved" && !inventory.provides(linkIdentity(hostNetns, spec.from))) return "ENODEV";
  const names = spec.type === "veth" ? [name, spec.peer.name] : [name];
  if (names.some((one) => Buffer.byteLength(one) > 15)) return "ERANGE";
  const identities = [identityOf(object), ...alsoProvides(object)];
  if (identities.some((one) => inventory.provides(one))) return "EEXIST";
  return whyNotOnParent(inventory, spec);
}

/** Frames that a link takes in go to one taker: a bridge, its macvlans, or its ipvlans. */
function whyNotOnParent(inventory: Inventory, spec: LinkSpec): ErrnoName | undefined {
  if (spec.type !== "vlan" && spec.type !== "macvlan" && spec.type !== "ipvlan") return undefined;
  const siblings = childrenOf(inventory, hostNetns, spec.parent);
  if (spec.type === "vlan") return siblings.some((one) => deepEqual(one, spec)) ? "EEXIST" : undefined;
  const isPort = inventory
    .all()
    .some(
      ({ object }) => object.kind === "port" && object.netns === hostNetns && object.link === spec.parent,
    );
  if (isPort || siblings.some((one) => takesFrames(one) && one.type !== spec.type)) return "EBUSY";
  if (spec.type !== "macvlan") return undefined;
  const others = siblings.filter((one) => one.type === "macvlan");
  const isAlone = spec.mode === "passthru" || others.some(({ mode }) => mode === "passthru");
  return isAlone && others.length > 0 ? "EINVAL" : undefined;
}

/** A VLAN's sub-interface needs its parent up. */
function whyNotUp(inventory: Inventory, { netns, link }: UpObject): ErrnoName | undefined {
  const object = inventory.get(linkIdentity(netns, link))?.object;
  if (object?.kind !== "link" || object.spec.type !== "vlan") return undefined;
  const parent = { kind: "up", netns: hostNetns, link: object.spec.parent } as const;
  return inventory.get(identityOf(parent)) === undefined ? "ENETDOWN" : undefined;
}

function takesFrames({ type }: LinkSpec): boolean {
  return type === "macvlan" || type === "ipvlan";
}

/** What links stand on a link of the host. */
function childrenOf(inventory: Inventory, netns: NetnsRef, parent: string): LinkSpec[] {
  if (netns !== hostNetns) return [];
  return inventory
    .all()
    .flatMap(({ object }) =>
      object.kind === "link" && "parent" in object.spec && object.spec.parent === parent ? [object.spec] : [],
    );
}

/** A gateway must be on a network of one of the link's addresses, and the link must be up. */
function whyNotRoute(inventory: Inventory, route: RouteObject): ErrnoName | undefined {
  const { netns, link, destination, gateway } = route;
  const up = inventory.get(identityOf({ kind: "up", netns, link })) !== undefined;
  const family = familyOf(destination);
  if (gateway === undefined) return up ? undefined : "ENETDOWN";
  const near = inventory
    .all()
    .some(
      ({ object }) =>
        object.kind === "address" &&
        object.netns === netns &&
        object.link === link &&
        familyOf(addressPart(object.address)) === family &&
        contains(networkOf(object.address), gateway),
    );
  if (up && (near || isLinkLocal(gateway))) return undefined;
  if (family === 4) return "ENETUNREACH";
  return up ? "EHOSTUNREACH" : "ENETDOWN";
}

function whyNotElement(inventory: Inventory, object: NftElementObject): ErrnoName | undefined {
  const table = inventory.get(tableIdentity(object.netns, object.family, object.table))?.object;
  if (table?.kind !== "nft-table" || table.definition.sets[object.set] === undefined) return "ENOENT";
  const there = inventory.get(identityOf(object))?.object;
  return there !== undefined && !deepEqual(there, object) ? "EEXIST" : undefined;
}
