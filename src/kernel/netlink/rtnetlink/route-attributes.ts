import { addressFromBytes, addressToBytes, type IpAddress } from "../../../core/index.ts";
import { attribute, attributes, nested } from "../attributes.ts";
import { enumerated } from "../codecs.ts";
import { type Codec, i32, ipAddress, readU16, struct, u8, u16, u32, type Value } from "../wire.ts";
import { addressFamily } from "./family.ts";

/** rtm_type: enum of include/uapi/linux/rtnetlink.h. */
export const routeType = enumerated(u8, {
  unspecified: 0,
  unicast: 1,
  local: 2,
  broadcast: 3,
  anycast: 4,
  multicast: 5,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
  throw: 9,
  nat: 10,
});

/** What a route does with a packet. */
export type RouteType = Value<typeof routeType>;

/** struct rtmsg of include/uapi/linux/rtnetlink.h. */
export const rtmsg = struct({
  family: u8,
  destinationLength: u8,
  sourceLength: u8,
  tos: u8,
  table: u8,
  protocol: u8,
  scope: u8,
  type: routeType,
  flags: u32,
});

/** RTAX_* of include/uapi/linux/rtnetlink.h, inside RTA_METRICS. */
const routeMetrics = attributes({ mtu: attribute(2, u32), advmss: attribute(8, u32) });

/** struct rtvia: a gateway of the other family, an IPv6 one of an IPv4 route. */
const via: Codec<IpAddress> = {
  write(writer, value) {
    writer.u16(addressFamily(value));
    writer.bytes(addressToBytes(value));
  },
  read: (bytes) => addressFromBytes(bytes.subarray(2)),
};

/** struct rtnexthop: length, flags, weight less one, index; then attributes. */
const rtnexthop = struct({ length: u16, flags: u8, hops: u8, index: i32 });
const nextHopAttributes = attributes({ gateway: attribute(5, ipAddress), via: attribute(18, via) });

/** One of several ways that a route may take. */
export interface NextHop {
  readonly gateway?: IpAddress | undefined;
  /** A gateway of the other family. */
  readonly via?: IpAddress | undefined;
  /** Index of the outgoing link. */
  readonly link?: number | undefined;
  /** 1..256; ways are taken in proportion to it. */
  readonly weight: number;
  /** RTNH_F_*. */
  readonly flags: number;
}

/** RTA_MULTIPATH: an array of rtnexthop. A torn one at its end is left out. */
const nextHops: Codec<readonly NextHop[]> = {
  write(writer, hops) {
    for (const hop of hops) {
      const start = writer.length;
      rtnexthop.write(writer, { length: 0, flags: hop.flags, hops: hop.weight - 1, index: hop.link ?? 0 });
      nextHopAttributes.write(writer, { gateway: hop.gateway, via: hop.via });
      writer.setU16(start, writer.length - start);
    }
  },
  read(bytes) {
    const hops: NextHop[] = [];
    let at = 0;
    while (at + rtnexthop.size <= bytes.length) {
      const length = readU16(bytes, at);
      if (length < rtnexthop.size || at + length > bytes.length) break;
      hops.push(readNextHop(bytes.subarray(at, at + length)));
      at += (length + 3) & ~3;
    }
    return hops;
  },
};

function readNextHop(bytes: Buffer): NextHop {
  const { flags, hops, index } = rtnexthop.read(bytes);
  return {
    weight: hops + 1,
    flags,
    ...(index === 0 ? {} : { link: index }),
    ...nextHopAttributes.read(bytes.subarray(rtnexthop.size)),
  };
}

/** RTA_* of include/uapi/linux/rtnetlink.h. */
export const routeAttributes = attributes({
  destination: attribute(1, ipAddress),
  source: attribute(2, ipAddress),
  link: attribute(4, u32),
  gateway: attribute(5, ipAddress),
  priority: attribute(6, u32),
  preferredSource: attribute(7, ipAddress),
  metrics: nested(8, routeMetrics),
  nextHops: attribute(9, nextHops),
  table: attribute(15, u32),
  via: attribute(18, via),
  preference: attribute(20, u8),
});
