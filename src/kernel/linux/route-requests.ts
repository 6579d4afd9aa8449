import { addressPart, familyOf, WeftError } from "../../core/index.ts";
import type { Operation } from "../kernel.ts";
import { linkGroup, protocolNumber } from "../marks.ts";
import type { NetlinkRequest } from "../netlink/message.ts";
import {
  addAddress,
  changeLink,
  createLink,
  deleteAddress,
  deleteRoute,
  IFA_F_NODAD,
  type LinkAddress,
  type LinkKind,
  type Route,
  replaceRoute,
  setBridgePort,
} from "../netlink/rtnetlink/index.ts";
import { hostNetns, type NetnsRef } from "../netns-ref.ts";
import type {
  AddressObject,
  IpvlanSpec,
  LinkObject,
  LinkSpec,
  MacvlanSpec,
  PortObject,
  RouteObject,
  UpObject,
  VlanSpec,
} from "../objects.ts";
import { ipvlanFlags } from "./link-specs.ts";
import type { Session } from "./session.ts";

/** Objects that rtnetlink writes. */
export type RouteFamilyObject = LinkObject | PortObject | AddressObject | UpObject | RouteObject;

/** An operation on one of them. */
export type RouteFamilyOperation = Operation & { readonly object: RouteFamilyObject };

/** The namespace whose socket carries an operation: a link is moved, or made on its parent, where that is. */
export function netnsOfRequest({ op, object }: RouteFamilyOperation): NetnsRef {
  if (object.kind !== "link" || op !== "create") return object.netns;
  switch (object.spec.type) {
    case "moved":
    case "vlan":
    case "macvlan":
    case "ipvlan":
      return hostNetns;
    default:
      return object.netns;
  }
}

/**
 * The requests that carry out an operation, in order; none when there is nothing to do. Links are not
 * deleted here but in groups. Throws KernelError, ENODEV, when a link it needs is not there.
 */
export function routeRequests(session: Session, operation: RouteFamilyOperation): readonly NetlinkRequest[] {
  const { op, object } = operation;
  switch (object.kind) {
    case "link":
      return op === "create"
        ? newLink(session, object)
        : op === "change"
          ? [linkSettings(session, object)]
          : giveBack(session, object);
    case "port":
      return op === "delete" ? noPort(session, object) : port(session, op, object);
    case "address":
      if (op === "change") return []; // restored to what it is: it was there before weft
      return [
        op === "create" ? addAddress(address(session, object)) : deleteAddress(address(session, object)),
      ];
    case "up":
      return op === "change"
        ? []
        : [changeLink(session.index(object.netns, object.link), { up: op === "create" })];
    case "route":
      return [op === "delete" ? deleteRoute(route(session, object)) : replaceRoute(route(session, object))];
  }
}

function newLink(session: Session, object: LinkObject): readonly NetlinkRequest[] {
  const { netns, name, spec, mtu, mac, alias } = object;
  switch (spec.type) {
    case "adopted":
      session.index(netns, name); // it only has to be there
      return [];
    case "moved":
      return moveHere(session, object, spec.from);
    case "bridge":
    case "dummy": {
      const index = session.newIndex(netns, name);
      const created = createLink({ name, kind: { kind: spec.type }, index, mac, group: linkGroup });
      // An MTU that is given at its making the bridge takes for its own choice, and adapts to its ports:
      // br_mtu_auto_adjust() of net/bridge/br_if.c.
      const changed = alias === undefined && mtu === undefined ? [] : [changeLink(index, { alias, mtu })];
      return [created, ...changed];
    }
    case "vlan":
    case "macvlan":
    case "ipvlan":
      return onParent(session, object, spec);
    case "veth": {
      const index = session.newIndex(netns, name);
      const { peer } = spec;
      const far = {
        name: peer.name,
        mac: peer.mac,
        mtu,
        netnsFd: session.netnsFd(peer.netns),
        index: session.newIndex(peer.netns, peer.name),
      };
      return [
        createLink({ name, kind: { kind: "veth", peer: far }, index, mtu, mac, group: linkGroup }),
        // A port of a bridge has no use for an address of its own, not even a link-local one.
        changeLink(index, { addrGenMode: "none" }),
      ];
    }
    case "unknown":
      throw new WeftError("INTERNAL", `link ${name} is to be made of an unknown kind`);
  }
}

/** The link is born in its namespace; the socket is in its parent's, the only one that knows the parent by its index. */
function onParent(
  session: Session,
  { netns, name, mtu, mac, alias }: LinkObject,
  spec: VlanSpec | MacvlanSpec | IpvlanSpec,
): readonly NetlinkRequest[] {
  const lower = session.index(hostNetns, spec.parent);
  const index = session.newIndex(netns, name);
  const place = netns === hostNetns ? {} : { netnsFd: session.netnsFd(netns) };
  const aliased = alias === undefined || netns !== hostNetns ? [] : [changeLink(index, { alias })];
  return [
    createLink({ name, kind: kindOnParent(spec), lower, index, mtu, mac, group: linkGroup, ...place }),
    ...aliased,
  ];
}

function kindOnParent(spec: VlanSpec | MacvlanSpec | IpvlanSpec): LinkKind {
  switch (spec.type) {
    case "vlan":
      return { kind: "vlan", id: spec.id, protocol: spec.protocol };
    case "macvlan":
      return { kind: "macvlan", mode: spec.mode };
    case "ipvlan":
      return { kind: "ipvlan", mode: spec.mode, flags: ipvlanFlags[spec.flag] };
  }
}

/** What compare() lets be changed in place, beside what every link has. */
function changeableKind(spec: LinkSpec): { readonly kind?: LinkKind } {
  return spec.type === "macvlan" || spec.type === "ipvlan" ? { kind: kindOnParent(spec) } : {};
}

function linkSettings(session: Session, { netns, name, mtu, mac, alias, spec }: LinkObject): NetlinkRequest {
  if (spec.type === "veth" && mtu !== undefined) {
    // The far end has a socket of its own, so this is done before the datagram is sent.
    const { peer } = spec;
    session.route(peer.netns).execute(changeLink(session.index(peer.netns, peer.name), { mtu }));
  }
  return changeLink(session.index(netns, name), {
    mtu,
    mac,
    alias,
    group: linkGroup,
    ...changeableKind(spec),
  });
}

/** The link comes from the host's namespace and gets its name, MAC address and MTU here on the way. */
function moveHere(
  session: Session,
  { netns, name, mac, mtu }: LinkObject,
  from: string,
): readonly NetlinkRequest[] {
  const index = session.index(hostNetns, from);
  return [
    changeLink(index, {
      netnsFd: session.netnsFd(netns),
      name,
      newIndex: session.newIndex(netns, name),
      mac,
      mtu,
    }),
  ];
}

/** A moved link goes back to the host's namespace under its old name. */
function giveBack(session: Session, { netns, name, spec }: LinkObject): readonly NetlinkRequest[] {
  if (spec.type !== "moved") return [];
  return [changeLink(session.index(netns, name), { netnsFd: session.netnsFd(hostNetns), name: spec.from })];
}

function port(
  session: Session,
  op: "create" | "change",
  { netns, link, master, hairpin, isolated }: PortObject,
): readonly NetlinkRequest[] {
  const index = session.index(netns, link);
  const enslave = changeLink(index, { master: session.index(netns, master) });
  // What is put back where it was may have been a member of something else, which has no settings of a bridge's port.
  const isBridge = op === "create" || session.link(netns, master)?.kind?.kind === "bridge";
  return isBridge ? [enslave, setBridgePort(index, { hairpin, isolated })] : [enslave];
}

/** Somebody may have put it elsewhere meanwhile: there it stays. */
function noPort(session: Session, { netns, link, master }: PortObject): readonly NetlinkRequest[] {
  const index = session.index(netns, link);
  const isHere = session.link(netns, link)?.master === session.index(netns, master);
  return isHere ? [changeLink(index, { master: 0 })] : [];
}

function address(session: Session, { netns, link, address: value }: AddressObject): LinkAddress {
  const dad = familyOf(addressPart(value)) === 6 ? { flags: IFA_F_NODAD } : {};
  return { link: session.index(netns, link), address: value, protocol: protocolNumber, ...dad };
}

function route(session: Session, { netns, link, destination, gateway, metric }: RouteObject): Route {
  return {
    destination,
    gateway,
    link: session.index(netns, link),
    priority: metric,
    protocol: protocolNumber,
  };
}
