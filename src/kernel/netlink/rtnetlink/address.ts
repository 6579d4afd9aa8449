import {
  addressPart,
  type InterfaceAddress,
  type IpAddress,
  interfaceAddress,
  lengthOf,
} from "../../../core/index.ts";
import { type Attributes, attribute, attributes } from "../attributes.ts";
import {
  type NetlinkMessage,
  type NetlinkRequest,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
} from "../message.ts";
import type { NetlinkSocket } from "../socket.ts";
import { ipAddress, struct, text, u8, u32, type Value } from "../wire.ts";
import { addressFamily, familyFromNumber, familyNumber } from "./family.ts";
import { dumpFiltered } from "./filtered-dump.ts";
import { RTM_DELADDR, RTM_GETADDR, RTM_NEWADDR } from "./rtm.ts";

/** struct ifaddrmsg of include/uapi/linux/if_addr.h. */
const ifaddrmsg = struct({ family: u8, prefixLength: u8, flags: u8, scope: u8, index: u32 });

/** IFA_* of include/uapi/linux/if_addr.h. */
const addressAttributes = attributes({
  address: attribute(1, ipAddress),
  local: attribute(2, ipAddress),
  label: attribute(3, text),
  broadcast: attribute(4, ipAddress),
  lifetime: attribute(
    6,
    struct({ preferredSeconds: u32, validSeconds: u32, createdAt: u32, updatedAt: u32 }),
  ),
  flags: attribute(8, u32),
  routePriority: attribute(9, u32),
  protocol: attribute(11, u8),
});

/** Flags of an address, include/uapi/linux/if_addr.h. */
export const IFA_F_SECONDARY = 0x01;
/** No duplicate address detection: usable at once. */
export const IFA_F_NODAD = 0x02;
export const IFA_F_OPTIMISTIC = 0x04;
export const IFA_F_DADFAILED = 0x08;
export const IFA_F_DEPRECATED = 0x20;
/** Duplicate address detection is under way. */
export const IFA_F_TENTATIVE = 0x40;
export const IFA_F_PERMANENT = 0x80;
/** No route to the prefix comes with the address. */
export const IFA_F_NOPREFIXROUTE = 0x200;

/** A lifetime that does not end. */
export const INFINITY_LIFE_TIME = 0xffffffff;

/** An address of a link. */
export interface LinkAddress {
  /** Index of the link. */
  readonly link: number;
  /** The address itself, and the length of the prefix that it is on. */
  readonly address: InterfaceAddress;
  /** The other end of a point-to-point link, whose prefix it then is. */
  readonly peer?: IpAddress | undefined;
  readonly broadcast?: IpAddress | undefined;
  /** IPv4 only; begins with the link's name. */
  readonly label?: string | undefined;
  /** IFA_F_*. */
  readonly flags?: number | undefined;
  /** RT_SCOPE_*; 0 is global. */
  readonly scope?: number | undefined;
  /** IFAPROT_*: who put it there, a number below 256. Kernels before 5.18 do not keep it. */
  readonly protocol?: number | undefined;
  /** Metric of the route to the prefix. */
  readonly routePriority?: number | undefined;
  /** Absent: for ever. */
  readonly validSeconds?: number | undefined;
  readonly preferredSeconds?: number | undefined;
}

function addressRequest(call: string, type: number, flags: number, one: LinkAddress): NetlinkRequest {
  return {
    type,
    flags,
    call,
    object: `address ${one.address} on link ${one.link}`,
    body(writer) {
      const local = addressPart(one.address);
      const flags = one.flags ?? 0;
      ifaddrmsg.write(writer, {
        family: addressFamily(local),
        prefixLength: lengthOf(one.address),
        flags: flags > 0xff ? 0 : flags,
        scope: one.scope ?? 0,
        index: one.link,
      });
      addressAttributes.write(writer, {
        local,
        address: one.peer ?? local,
        label: one.label,
        broadcast: one.broadcast,
        lifetime: lifetimeOf(one),
        flags: flags > 0xff ? flags : undefined, // takes the place of the header's
        routePriority: one.routePriority,
        protocol: one.protocol,
      });
    },
  };
}

function lifetimeOf({ validSeconds, preferredSeconds }: LinkAddress) {
  if (validSeconds === undefined && preferredSeconds === undefined) return undefined;
  const valid = validSeconds ?? INFINITY_LIFE_TIME;
  return { validSeconds: valid, preferredSeconds: preferredSeconds ?? valid, createdAt: 0, updatedAt: 0 };
}

/** RTM_NEWADDR that refuses (EEXIST) when the link has the address. */
export function addAddress(address: LinkAddress): NetlinkRequest {
  return addressRequest("RTM_NEWADDR", RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, address);
}

/** RTM_NEWADDR that makes the address or changes its flags, lifetimes and metric. */
export function replaceAddress(address: LinkAddress): NetlinkRequest {
  return addressRequest("RTM_NEWADDR", RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, address);
}

/** RTM_DELADDR. EADDRNOTAVAIL when the link has no such address. */
export function deleteAddress(
  address: Pick<LinkAddress, "link" | "address" | "peer" | "label">,
): NetlinkRequest {
  return addressRequest("RTM_DELADDR", RTM_DELADDR, 0, address);
}

/** Reads RTM_NEWADDR or RTM_DELADDR; undefined for other messages. All members but `link` and `address` may be absent. */
export function decodeAddress(message: NetlinkMessage): LinkAddress | undefined {
  if (message.type !== RTM_NEWADDR && message.type !== RTM_DELADDR) return undefined;
  const header = ifaddrmsg.read(message.payload);
  if (familyFromNumber(header.family) === undefined) return undefined;
  const found = addressAttributes.read(message.payload.subarray(ifaddrmsg.size));
  // IPv6 has IFA_LOCAL only beside a peer.
  const local = found.local ?? found.address;
  return local === undefined ? undefined : addressFrom(header, local, found);
}

function addressFrom(
  header: Value<typeof ifaddrmsg>,
  local: IpAddress,
  found: Attributes<typeof addressAttributes>,
): LinkAddress {
  const { address, lifetime } = found;
  const valid = lifetime?.validSeconds ?? INFINITY_LIFE_TIME;
  const preferred = lifetime?.preferredSeconds ?? INFINITY_LIFE_TIME;
  return {
    link: header.index,
    address: interfaceAddress(local, header.prefixLength),
    scope: header.scope,
    flags: found.flags ?? header.flags,
    ...(address === undefined || address === local ? {} : { peer: address }),
    ...(found.broadcast === undefined ? {} : { broadcast: found.broadcast }),
    ...(found.label === undefined ? {} : { label: found.label }),
    ...(found.protocol === undefined ? {} : { protocol: found.protocol }),
    ...(found.routePriority === undefined ? {} : { routePriority: found.routePriority }),
    ...(valid === INFINITY_LIFE_TIME ? {} : { validSeconds: valid }),
    ...(preferred === INFINITY_LIFE_TIME ? {} : { preferredSeconds: preferred }),
  };
}

/** Which addresses {@link listAddresses} gives; all that is absent is any. */
export interface AddressFilter {
  readonly family?: 4 | 6 | undefined;
  /** Index of the link. */
  readonly link?: number | undefined;
}

function addressDump({ family, link = 0 }: AddressFilter): NetlinkRequest {
  return {
    type: RTM_GETADDR,
    flags: 0,
    call: "RTM_GETADDR",
    object: link === 0 ? "addresses" : `addresses of link ${link}`,
    body: (writer) =>
      ifaddrmsg.write(writer, {
        family: familyNumber(family),
        prefixLength: 0,
        flags: 0,
        scope: 0,
        index: link,
      }),
  };
}

/** The addresses in the socket's namespace. Throws KernelError. */
export function listAddresses(socket: NetlinkSocket, filter: AddressFilter = {}): LinkAddress[] {
  const wide = addressDump({ family: filter.family });
  return dumpFiltered(socket, {
    narrow: filter.link === undefined ? wide : addressDump(filter),
    wide,
    decode: decodeAddress,
    wanted: (one) => filter.link === undefined || one.link === filter.link,
  });
}
