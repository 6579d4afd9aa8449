import type { Family, IpAddress, MacAddress } from "../../../core/index.ts";
import {
  type NetlinkMessage,
  type NetlinkRequest,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
} from "../message.ts";
import type { NetlinkSocket } from "../socket.ts";
import { addressFamily, familyFromNumber, familyNumber } from "./family.ts";
import { dumpFiltered } from "./filtered-dump.ts";
import { NTF_PROXY, NUD_PERMANENT, ndmsg, neighbourAttributes } from "./neighbour-attributes.ts";
import { RTM_DELNEIGH, RTM_GETNEIGH, RTM_NEWNEIGH } from "./rtm.ts";

/** An entry of the ARP or neighbour discovery table. */
export interface Neighbour {
  /** Index of the link. */
  readonly link: number;
  readonly address: IpAddress;
  /** Absent while the kernel does not know it, and in proxy entries. */
  readonly mac?: MacAddress | undefined;
  /** NUD_*; NUD_PERMANENT when absent in a request that makes an entry. */
  readonly state?: number | undefined;
  /** NTF_*: NTF_PROXY, NTF_EXT_LEARNED, NTF_ROUTER. */
  readonly flags?: number | undefined;
  /** NDA_PROTOCOL: who put it there, as a route's protocol. */
  readonly protocol?: number | undefined;
}

function neighbourRequest(call: string, type: number, flags: number, one: Neighbour): NetlinkRequest {
  return {
    type,
    flags,
    call,
    object: `neighbour ${one.address} on link ${one.link}`,
    body(writer) {
      ndmsg.write(writer, {
        family: addressFamily(one.address),
        link: one.link,
        state: one.state ?? (type === RTM_DELNEIGH ? 0 : NUD_PERMANENT),
        flags: one.flags ?? 0,
        type: 0,
      });
      neighbourAttributes.write(writer, { destination: one.address, mac: one.mac, protocol: one.protocol });
    },
  };
}

/** RTM_NEWNEIGH that refuses (EEXIST) when there is an entry. */
export function addNeighbour(neighbour: Neighbour): NetlinkRequest {
  return neighbourRequest("RTM_NEWNEIGH", RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL, neighbour);
}

/** RTM_NEWNEIGH that makes the entry or changes it. */
export function replaceNeighbour(neighbour: Neighbour): NetlinkRequest {
  return neighbourRequest("RTM_NEWNEIGH", RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, neighbour);
}

/** RTM_DELNEIGH. ENOENT when there is no entry; a proxy entry needs NTF_PROXY in `flags`. */
export function deleteNeighbour(neighbour: Pick<Neighbour, "link" | "address" | "flags">): NetlinkRequest {
  return neighbourRequest("RTM_DELNEIGH", RTM_DELNEIGH, 0, neighbour);
}

/** Reads RTM_NEWNEIGH or RTM_DELNEIGH of IPv4 or IPv6; undefined for others, FDB entries among them. */
export function decodeNeighbour(message: NetlinkMessage): Neighbour | undefined {
  if (message.type !== RTM_NEWNEIGH && message.type !== RTM_DELNEIGH) return undefined;
  const header = ndmsg.read(message.payload);
  if (familyFromNumber(header.family) === undefined) return undefined;
  const found = neighbourAttributes.read(message.payload.subarray(ndmsg.size));
  if (found.destination === undefined) return undefined;
  return {
    link: header.link,
    address: found.destination,
    state: header.state,
    flags: header.flags,
    ...(found.mac === undefined ? {} : { mac: found.mac }),
    ...(found.protocol === undefined ? {} : { protocol: found.protocol }),
  };
}

/** Which neighbours {@link listNeighbours} gives; all that is absent is any. */
export interface NeighbourFilter {
  readonly family?: Family | undefined;
  /** Index of the link. */
  readonly link?: number | undefined;
  /** True: the proxy entries, which the kernel lists apart. */
  readonly proxy?: boolean | undefined;
}

function neighbourDump({ family, link, proxy }: NeighbourFilter): NetlinkRequest {
  return {
    type: RTM_GETNEIGH,
    flags: 0,
    call: "RTM_GETNEIGH",
    object: link === undefined ? "neighbours" : `neighbours of link ${link}`,
    body(writer) {
      const flags = proxy === true ? NTF_PROXY : 0;
      ndmsg.write(writer, { family: familyNumber(family), link: 0, state: 0, flags, type: 0 });
      neighbourAttributes.write(writer, { interface: link });
    },
  };
}

/** The neighbours in the socket's namespace. Throws KernelError. */
export function listNeighbours(socket: NetlinkSocket, filter: NeighbourFilter = {}): Neighbour[] {
  const { link, ...unfiltered } = filter;
  return dumpFiltered(socket, {
    narrow: neighbourDump(filter),
    wide: neighbourDump(unfiltered),
    decode: decodeNeighbour,
    wanted: (one) => link === undefined || one.link === link,
  });
}
