import type { IpAddress, MacAddress } from "../../../core/index.ts";
import {
  type NetlinkMessage,
  type NetlinkRequest,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
} from "../message.ts";
import type { NetlinkSocket } from "../socket.ts";
import { dumpFiltered } from "./filtered-dump.ts";
import {
  NTF_MASTER,
  NTF_SELF,
  NUD_NOARP,
  NUD_PERMANENT,
  ndmsg,
  neighbourAttributes,
} from "./neighbour-attributes.ts";
import { AF_BRIDGE, RTM_DELNEIGH, RTM_GETNEIGH, RTM_NEWNEIGH } from "./rtm.ts";

/** The address under which a VXLAN's FDB keeps where unknown, broadcast and multicast frames go. */
export const defaultFdbMac = "00:00:00:00:00:00" as MacAddress; // six zero bytes, canonical as written

/** A forwarding entry: of a VXLAN link (`owner: "self"`) or of a bridge, by port (`owner: "master"`). */
export interface FdbEntry {
  /** Index of the VXLAN link or of the port. */
  readonly link: number;
  readonly mac: MacAddress;
  /** Whose table: the link's own (NTF_SELF) or its bridge's (NTF_MASTER). */
  readonly owner: "self" | "master";
  /** The VTEP that frames go to. */
  readonly destination?: IpAddress | undefined;
  /** UDP port of the VTEP, when it is not the link's. */
  readonly port?: number | undefined;
  /** VNI there, when it is not the link's. */
  readonly vni?: number | undefined;
  readonly sourceVni?: number | undefined;
  /** Index of the underlay link to send by, when it is not the link's. */
  readonly via?: number | undefined;
  /** Bridge entries of one VLAN. */
  readonly vlan?: number | undefined;
  /** NUD_*; NUD_PERMANENT (with NUD_NOARP on a bridge: static) when absent in a request. */
  readonly state?: number | undefined;
  /** NTF_* besides NTF_SELF and NTF_MASTER. */
  readonly flags?: number | undefined;
  /** Index of the bridge; only in answers. */
  readonly master?: number | undefined;
}

const ownerFlags = { self: NTF_SELF, master: NTF_MASTER } as const;

function fdbRequest(call: string, type: number, flags: number, entry: FdbEntry): NetlinkRequest {
  return {
    type,
    flags,
    call,
    object: `fdb entry ${entry.mac}${entry.destination === undefined ? "" : ` to ${entry.destination}`} on link ${entry.link}`,
    body(writer) {
      ndmsg.write(writer, {
        family: AF_BRIDGE,
        link: entry.link,
        state: entry.state ?? defaultState(entry.owner),
        flags: ownerFlags[entry.owner] | (entry.flags ?? 0),
        type: 0,
      });
      neighbourAttributes.write(writer, {
        destination: entry.destination,
        mac: entry.mac,
        vlan: entry.vlan,
        port: entry.port,
        vni: entry.vni,
        sourceVni: entry.sourceVni,
        interface: entry.via,
      });
    },
  };
}

/** A permanent entry of a bridge would mean an address of its own; NUD_NOARP makes it a static one. */
function defaultState(owner: FdbEntry["owner"]): number {
  return owner === "master" ? NUD_NOARP : NUD_PERMANENT;
}

/** RTM_NEWNEIGH that refuses (EEXIST) when there is an entry for the address. */
export function addFdbEntry(entry: FdbEntry): NetlinkRequest {
  return fdbRequest("RTM_NEWNEIGH", RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL, entry);
}

/** RTM_NEWNEIGH that makes the entry or changes its destination. A VXLAN refuses it for {@link defaultFdbMac}. */
export function replaceFdbEntry(entry: FdbEntry): NetlinkRequest {
  return fdbRequest("RTM_NEWNEIGH", RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, entry);
}

/** RTM_NEWNEIGH that adds a further destination for {@link defaultFdbMac}; EEXIST when it is there. */
export function appendFdbEntry(entry: FdbEntry): NetlinkRequest {
  return fdbRequest("RTM_NEWNEIGH", RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_APPEND, entry);
}

/** RTM_DELNEIGH; of several destinations only that given. ENOENT when there is no entry. */
export function deleteFdbEntry(entry: FdbEntry): NetlinkRequest {
  return fdbRequest("RTM_DELNEIGH", RTM_DELNEIGH, 0, entry);
}

/** Reads RTM_NEWNEIGH or RTM_DELNEIGH of AF_BRIDGE; undefined for others. */
export function decodeFdbEntry(message: NetlinkMessage): FdbEntry | undefined {
  if (message.type !== RTM_NEWNEIGH && message.type !== RTM_DELNEIGH) return undefined;
  const header = ndmsg.read(message.payload);
  if (header.family !== AF_BRIDGE) return undefined;
  const {
    mac,
    interface: via,
    protocol: _protocol,
    ...rest
  } = neighbourAttributes.read(message.payload.subarray(ndmsg.size));
  if (mac === undefined) return undefined;
  return {
    ...rest,
    link: header.link,
    mac,
    // A bridge marks only what belongs to the port's own table; the rest is its own.
    owner: (header.flags & NTF_SELF) !== 0 ? "self" : "master",
    state: header.state,
    flags: header.flags & ~(NTF_SELF | NTF_MASTER),
    ...(via === undefined ? {} : { via }),
  };
}

/** Which entries {@link listFdb} gives; all that is absent is any. */
export interface FdbFilter {
  /** Index of the VXLAN link or port. */
  readonly link?: number | undefined;
  /** Index of the bridge. */
  readonly master?: number | undefined;
}

function fdbDump({ link, master }: FdbFilter): NetlinkRequest {
  return {
    type: RTM_GETNEIGH,
    flags: 0,
    call: "RTM_GETNEIGH",
    object: link === undefined ? "fdb entries" : `fdb entries of link ${link}`,
    body(writer) {
      ndmsg.write(writer, { family: AF_BRIDGE, link: 0, state: 0, flags: 0, type: 0 });
      neighbourAttributes.write(writer, { interface: link, master });
    },
  };
}

/** The forwarding entries in the socket's namespace. Throws KernelError. */
export function listFdb(socket: NetlinkSocket, filter: FdbFilter = {}): FdbEntry[] {
  const { link, master } = filter;
  return dumpFiltered(socket, {
    narrow: fdbDump(filter),
    wide: fdbDump({}),
    decode: decodeFdbEntry,
    wanted: (one) =>
      (link === undefined || one.link === link) &&
      (master === undefined || one.master === master || one.link === master),
  });
}
