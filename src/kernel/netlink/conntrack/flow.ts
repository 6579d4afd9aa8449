import { type Family, familyOf, type IpAddress } from "../../../core/index.ts";
import { attribute, attributes, nested } from "../attributes.ts";
import type { NetlinkMessage } from "../message.ts";
import { splitHeader } from "../nfnetlink.ts";
import { type Codec, ipAddress, u8, u16be, u32, u32be } from "../wire.ts";
import { IPCTNL_MSG_CT_DELETE, IPCTNL_MSG_CT_NEW, messageType } from "./protocol.ts";

/** One direction of a flow: what its packets carry. */
export interface FlowTuple {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** IPPROTO_*. */
  readonly protocol: number;
  /** Of protocols that have ports. */
  readonly sourcePort?: number | undefined;
  readonly destinationPort?: number | undefined;
  /** Of ICMP and ICMPv6. */
  readonly icmp?: IcmpQuery | undefined;
  /** CTA_TUPLE_ZONE, where only this direction is in a zone. */
  readonly zone?: number | undefined;
}

/** What tells one ICMP exchange from another. */
export interface IcmpQuery {
  readonly id: number;
  readonly type: number;
  readonly code: number;
}

/** A flow that the kernel tracks. Its reply direction shows what NAT made of it. */
export interface Flow {
  /** CTA_ID: a hash of the tuples and of where the kernel keeps the flow, which a later one seldom shares. */
  readonly id: number;
  readonly original: FlowTuple;
  readonly reply: FlowTuple;
  /** IPS_* bits of include/uapi/linux/netfilter/nf_conntrack_common.h. */
  readonly status: number;
  readonly mark?: number | undefined;
  /** Seconds until it is forgotten; the kernel does not tell of one that was offloaded. */
  readonly timeoutSeconds?: number | undefined;
  /** CTA_ZONE, where both directions are in one. */
  readonly zone?: number | undefined;
}

/** CTA_IP_*. */
const addresses = attributes({
  source4: attribute(1, ipAddress),
  destination4: attribute(2, ipAddress),
  source6: attribute(3, ipAddress),
  destination6: attribute(4, ipAddress),
});

/** CTA_PROTO_*. */
const transport = attributes({
  protocol: attribute(1, u8),
  sourcePort: attribute(2, u16be),
  destinationPort: attribute(3, u16be),
  icmpCode: attribute(6, u8),
  icmpType: attribute(5, u8),
  icmpId: attribute(4, u16be),
  icmp6Code: attribute(9, u8),
  icmp6Type: attribute(8, u8),
  icmp6Id: attribute(7, u16be),
});

/** CTA_TUPLE_*. */
const tuple = attributes({
  addresses: nested(1, addresses),
  transport: nested(2, transport),
  zone: attribute(3, u16be),
});

/** CTA_FILTER_*: which parts of the two directions a dump compares. Unlike all else these are in the host's order. */
const filter = attributes({ original: attribute(1, u32), reply: attribute(2, u32) });

/** CTA_*. */
export const flowAttributes = attributes({
  original: nested(1, tuple),
  reply: nested(2, tuple),
  status: attribute(3, u32be),
  timeout: attribute(7, u32be),
  mark: attribute(8, u32be),
  id: attribute(12, u32be),
  zone: attribute(18, u16be),
  filter: nested(25, filter),
});

type TupleWire = typeof tuple extends Codec<infer T> ? T : never;

/** Any parts of a direction. */
export type TupleParts = { readonly [P in keyof FlowTuple]?: FlowTuple[P] | undefined };

/** The direction as the kernel wants it back. */
export function tupleToWire({ icmp, zone, ...rest }: TupleParts): TupleWire {
  const { source, destination, protocol, sourcePort, destinationPort } = rest;
  const one = source ?? destination;
  const query =
    icmp === undefined
      ? {}
      : protocol === 1
        ? { icmpId: icmp.id, icmpType: icmp.type, icmpCode: icmp.code }
        : { icmp6Id: icmp.id, icmp6Type: icmp.type, icmp6Code: icmp.code };
  return {
    addresses: one === undefined ? undefined : addressesToWire(familyOf(one), source, destination),
    transport: protocol === undefined ? undefined : { protocol, sourcePort, destinationPort, ...query },
    zone,
  };
}

function addressesToWire(family: Family, source?: IpAddress, destination?: IpAddress) {
  return family === 4
    ? { source4: source, destination4: destination }
    : { source6: source, destination6: destination };
}

function tupleFromWire(wire: TupleWire | undefined): FlowTuple | undefined {
  const { protocol, sourcePort, destinationPort, ...rest } = wire?.transport ?? {};
  const source = wire?.addresses?.source4 ?? wire?.addresses?.source6;
  const destination = wire?.addresses?.destination4 ?? wire?.addresses?.destination6;
  if (source === undefined || destination === undefined || protocol === undefined) return undefined;
  const id = rest.icmpId ?? rest.icmp6Id;
  const icmp =
    id === undefined
      ? undefined
      : { id, type: rest.icmpType ?? rest.icmp6Type ?? 0, code: rest.icmpCode ?? rest.icmp6Code ?? 0 };
  return {
    source,
    destination,
    protocol,
    ...(sourcePort === undefined ? {} : { sourcePort }),
    ...(destinationPort === undefined ? {} : { destinationPort }),
    ...(icmp === undefined ? {} : { icmp }),
    ...(wire?.zone === undefined ? {} : { zone: wire.zone }),
  };
}

/** Reads a message of a dump or of the groups NFNLGRP_CONNTRACK_*; undefined for one that tells of no flow. */
export function decodeFlow(message: NetlinkMessage): Flow | undefined {
  const { type } = message;
  if (type !== messageType(IPCTNL_MSG_CT_NEW) && type !== messageType(IPCTNL_MSG_CT_DELETE)) return undefined;
  const wire = flowAttributes.read(splitHeader(message).attributes);
  const original = tupleFromWire(wire.original);
  const reply = tupleFromWire(wire.reply);
  if (original === undefined || reply === undefined) return undefined;
  const { timeout, mark, zone } = wire;
  return {
    id: wire.id ?? 0,
    original,
    reply,
    status: wire.status ?? 0,
    ...(mark === undefined ? {} : { mark }),
    ...(timeout === undefined ? {} : { timeoutSeconds: timeout }),
    ...(zone === undefined ? {} : { zone }),
  };
}
