import {
  canonicalJson,
  type InterfaceAddress,
  type IpAddress,
  type MacAddress,
  type Prefix,
} from "../core/index.ts";
import { hostNetns, type NetnsRef } from "./netns-ref.ts";
import {
  type AcceptRuleObject,
  type NftElementObject,
  type NftTableObject,
  normalKeyOf,
} from "./nft-objects.ts";

/** A network namespace kept as a bind mount at `netns`: a new one, or the one behind another path. */
export interface NetnsObject {
  readonly kind: "netns";
  readonly netns: NetnsRef;
  /** A namespace that a container runtime made, `/proc/PID/ns/net`. It can be read only while it is mounted first. */
  readonly from?: string | undefined;
  /** The lasting identity of the namespace at `from`: another one may be there by now, for pids come again. */
  readonly identity?: string | undefined;
}

/** A file that weft writes for a sandbox: hosts, resolv.conf, hostname. Written in place, for it may be bind-mounted. */
export interface FileObject {
  readonly kind: "file";
  /** Absolute path. Its folder is made, and removed again with its last file. */
  readonly path: string;
  readonly content: string;
}

/** What kind of link, and what only that kind has. */
export type LinkSpec =
  | { readonly type: "bridge" }
  | { readonly type: "veth"; readonly peer: VethPeer }
  | { readonly type: "dummy" }
  | VlanSpec
  | MacvlanSpec
  | IpvlanSpec
  | { readonly type: "adopted" }
  | { readonly type: "moved"; readonly from: string }
  /** It carries weft's mark, but what it is cannot be seen: a veth whose far end is out of sight. Found, never wanted. */
  | { readonly type: "unknown" };

/** A VLAN sub-interface. `parent`, here and below, is the name of a link of the host's namespace. */
export interface VlanSpec {
  readonly type: "vlan";
  readonly parent: string;
  /** The tag, 0 to 4094. */
  readonly id: number;
  readonly protocol: "802.1Q" | "802.1ad";
}

/** A link with a MAC address of its own on its parent's wire. It is born in its namespace, which may be another. */
export interface MacvlanSpec {
  readonly type: "macvlan";
  readonly parent: string;
  readonly mode: MacvlanMode;
}

/** What a macvlan may send to, of those on the same parent; passthru has the parent and its MAC address for itself. weft makes no source. */
export type MacvlanMode = "bridge" | "private" | "vepa" | "passthru" | "source";

/**
 * A link with its parent's MAC address and addresses of its own. It is born in its namespace, which may be
 * another. All of one parent have one mode and flag: the kernel gives them those of the last that was made.
 */
export interface IpvlanSpec {
  readonly type: "ipvlan";
  readonly parent: string;
  readonly mode: "l2" | "l3" | "l3s";
  readonly flag: "bridge" | "private" | "vepa";
}

/** The far end of a veth pair, born in its namespace under its name. */
export interface VethPeer {
  readonly netns: NetnsRef;
  readonly name: string;
  readonly mac?: MacAddress | undefined;
}

/**
 * A link, by its name. weft's own carry its group (IFLA_GROUP). An `adopted` one was made by somebody
 * else: it has to be there, is never changed and never deleted. A `moved` one was made by somebody else
 * in the host's namespace under the name `from`; it is moved here, and given back there when it goes.
 */
export interface LinkObject {
  readonly kind: "link";
  readonly netns: NetnsRef;
  /** At most 15 bytes (IFNAMSIZ - 1). */
  readonly name: string;
  readonly spec: LinkSpec;
  /** Bytes; the kernel's default when absent. For veth, of both ends. */
  readonly mtu?: number | undefined;
  readonly mac?: MacAddress | undefined;
  /** IFLA_IFALIAS: for people only. Given to links that are made in the host's namespace. */
  readonly alias?: string | undefined;
}

/** A value below /proc/sys, such as `net/ipv4/ip_forward`. */
export interface SysctlObject {
  readonly kind: "sysctl";
  readonly netns: NetnsRef;
  /** The path below /proc/sys, with slashes. */
  readonly key: string;
  readonly value: string;
  /** The link that the value belongs to and goes with, if it is one of a link. */
  readonly link?: string | undefined;
  /** Traffic may flow by it, as by forwarding: it is written after all rules stand, and restored before they go. */
  readonly opensTraffic?: true | undefined;
}

/** A link's place in a bridge. */
export interface PortObject {
  readonly kind: "port";
  readonly netns: NetnsRef;
  readonly link: string;
  readonly master: string;
  /** Frames may leave by the port they came in by (IFLA_BRPORT_MODE). */
  readonly hairpin: boolean;
  /** Frames do not pass between two isolated ports of a bridge (IFLA_BRPORT_ISOLATED). */
  readonly isolated: boolean;
}

/** An address on a link. Added without duplicate address detection: weft's own allocation is unique. */
export interface AddressObject {
  readonly kind: "address";
  readonly netns: NetnsRef;
  readonly link: string;
  readonly address: InterfaceAddress;
}

/** A link's being up. */
export interface UpObject {
  readonly kind: "up";
  readonly netns: NetnsRef;
  readonly link: string;
}

/** A unicast route in the main table, marked by weft's protocol number. */
export interface RouteObject {
  readonly kind: "route";
  readonly netns: NetnsRef;
  readonly destination: Prefix;
  /** RTA_PRIORITY; 0 is the kernel's default for IPv4. For IPv6 the kernel makes 1024 of 0. */
  readonly metric: number;
  readonly gateway?: IpAddress | undefined;
  /** The outgoing link. */
  readonly link: string;
}

/** Everything that a plan can hold and a {@link Kernel} can write and read. */
export type KernelObject =
  | NetnsObject
  | FileObject
  | LinkObject
  | SysctlObject
  | PortObject
  | AddressObject
  | UpObject
  | RouteObject
  | NftTableObject
  | NftElementObject
  | AcceptRuleObject;

/** A kind of object. */
export type ObjectKind = KernelObject["kind"];

declare const identityBrand: unique symbol;
/** What makes an object the same object: two with one identity are one, with two values. */
export type Identity = string & { readonly [identityBrand]: true };

function identity(...parts: readonly (string | number)[]): Identity {
  return parts.join(" ") as Identity; // the only place that makes one
}

/** The identity of a link, by namespace and name. */
export function linkIdentity(netns: NetnsRef, name: string): Identity {
  return identity("link", netns, name);
}

/** The identity of a namespace. */
export function netnsIdentityOf(netns: NetnsRef): Identity {
  return identity("netns", netns);
}

/** The identity of an nftables table. */
export function tableIdentity(netns: NetnsRef, family: string, table: string): Identity {
  return identity("nft-table", netns, family, table);
}

/** The identity of an object. */
export function identityOf(object: KernelObject): Identity {
  switch (object.kind) {
    case "netns":
      return netnsIdentityOf(object.netns);
    case "file":
      return identity("file", object.path);
    case "link":
      return linkIdentity(object.netns, object.name);
    case "sysctl":
      return identity("sysctl", object.netns, object.key);
    case "port":
    case "up":
      return identity(object.kind, object.netns, object.link);
    case "address":
      return identity("address", object.netns, object.link, object.address);
    case "route":
      return identity("route", object.netns, object.destination, object.metric);
    case "nft-table":
      return tableIdentity(object.netns, object.definition.family, object.definition.table);
    case "nft-element":
      return identityOfElement(object);
    case "accept-rule":
      return identity("accept-rule", object.netns, object.family, object.table, object.chain);
  }
}

/** Of each element a plan asks many times, and it takes some work. */
const elementIdentities = new WeakMap<NftElementObject, Identity>();

function identityOfElement(object: NftElementObject): Identity {
  const known = elementIdentities.get(object);
  if (known !== undefined) return known;
  const { netns, family, table, set } = object;
  const found = identity("nft-element", netns, family, table, set, canonicalJson(normalKeyOf(object)));
  elementIdentities.set(object, found);
  return found;
}

/** Identities besides its own that an object brings into being: the far end of a veth pair. */
export function alsoProvides(object: KernelObject): readonly Identity[] {
  if (object.kind !== "link" || object.spec.type !== "veth") return [];
  return [linkIdentity(object.spec.peer.netns, object.spec.peer.name)];
}

/**
 * What an object lives in: when one of these goes, the object goes with it, and it cannot be made before
 * them. The host namespace is never made, so it is nobody's container; nor is a namespace's own lo.
 */
export function containersOf(object: KernelObject): readonly Identity[] {
  switch (object.kind) {
    case "netns":
    case "file":
      return [];
    case "link":
      return [
        ...inNetnses(object.spec.type === "veth" ? [object.netns, object.spec.peer.netns] : [object.netns]),
        ...parentOf(object.spec),
      ];
    case "port":
      return [linkIdentity(object.netns, object.link), linkIdentity(object.netns, object.master)];
    case "address":
    case "up":
    case "route":
      return onLink(object.netns, object.link);
    case "sysctl":
      return object.link === undefined ? inNetnses([object.netns]) : onLink(object.netns, object.link);
    case "nft-table":
    case "accept-rule":
      return inNetnses([object.netns]);
    case "nft-element":
      return tableOfElement(object);
  }
}

/** The link of the host that a link of this kind is made on, and goes with. */
function parentOf(spec: LinkSpec): Identity[] {
  switch (spec.type) {
    case "vlan":
    case "macvlan":
    case "ipvlan":
      return [linkIdentity(hostNetns, spec.parent)];
    default:
      return [];
  }
}

/** Hundreds of elements in a row are of one table. */
let lastTable: { readonly of: NftElementObject; readonly containers: readonly Identity[] } | undefined;

function tableOfElement(object: NftElementObject): readonly Identity[] {
  const { netns, family, table } = object;
  const last = lastTable?.of;
  if (lastTable === undefined || last?.netns !== netns || last.family !== family || last.table !== table)
    lastTable = { of: object, containers: [tableIdentity(netns, family, table)] };
  return lastTable.containers;
}

/**
 * Those containers whose deletion takes the object along before it returns. A namespace takes the far end
 * of a veth pair along too, and a link that answers on its parent's wire, but some time later, and not while
 * a process still lives in it.
 */
export function takenAlongBy(object: KernelObject): readonly Identity[] {
  if (object.kind === "link" && object.spec.type === "veth") return inNetnses([object.netns]);
  if (object.kind === "link" && object.spec.type === "moved") return []; // it has to be given back first
  if (object.kind === "link" && object.netns !== hostNetns && parentOf(object.spec).length > 0)
    return parentOf(object.spec);
  return containersOf(object);
}

/**
 * Whether deleting `container` takes along what lives in it, or just `object`. An adopted link is only let
 * go of. So is a namespace that a runtime made, which may live on without its mount: weft's tables and
 * links must not stay in it, but its lo stays up.
 */
export function takesAlong(container: KernelObject, object?: KernelObject): boolean {
  if (container.kind === "link") return container.spec.type !== "adopted";
  if (container.kind !== "netns" || container.from === undefined) return true;
  return object === undefined || object.kind === "up" || object.kind === "sysctl";
}

function inNetnses(namespaces: readonly NetnsRef[]): Identity[] {
  return namespaces.filter((netns) => netns !== hostNetns).map(netnsIdentityOf);
}

function onLink(netns: NetnsRef, link: string): Identity[] {
  return link === "lo" ? inNetnses([netns]) : [linkIdentity(netns, link)];
}
