import {
  addressFromBytes,
  addressToBytes,
  type Ipv4,
  type Ipv6,
  isIpv4,
  isIpv6,
  type MacAddress,
  macFromBytes,
  macToBytes,
  parseAddress,
} from "../../../core/index.ts";
import { type Codec, u8, u16, u16be, u32, Writer } from "../wire.ts";

/** Protocols of the internet layer that have a name here, as /etc/protocols numbers them. */
export const inetProtocols = {
  icmp: 1,
  igmp: 2,
  tcp: 6,
  udp: 17,
  dccp: 33,
  gre: 47,
  esp: 50,
  ah: 51,
  icmpv6: 58,
  sctp: 132,
  udplite: 136,
} as const;

/** NFPROTO_* as nft writes them. */
export const nfProtocols = { inet: 1, ipv4: 2, arp: 3, netdev: 5, bridge: 7, ipv6: 10 } as const;

/** ETH_P_* as nft writes them. */
export const etherTypes = { ip: 0x0800, arp: 0x0806, vlan: 0x8100, ip6: 0x86dd, "8021ad": 0x88a8 } as const;

/** Bits of `ct state`. */
export const ctStates = { invalid: 1, established: 2, related: 4, new: 8, untracked: 64 } as const;

/** Bits of `ct status`, IPS_* of include/uapi/linux/netfilter/nf_conntrack_common.h. */
export const ctStatuses = {
  expected: 1,
  "seen-reply": 2,
  assured: 4,
  confirmed: 8,
  snat: 16,
  dnat: 32,
  dying: 512,
} as const;

/** RTN_* as nft writes them, include/uapi/linux/rtnetlink.h. */
export const addressTypes = {
  unspec: 0,
  unicast: 1,
  local: 2,
  broadcast: 3,
  anycast: 4,
  multicast: 5,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
} as const;

/** Bits of `tcp flags`. */
export const tcpFlags = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ecn: 64, cwr: 128 } as const;

/** PACKET_* of include/uapi/linux/if_packet.h. */
const packetTypes = { host: 0, broadcast: 1, multicast: 2, other: 3 } as const;
const directions = { original: 0, reply: 1 } as const;
const presence = { missing: 0, exists: 1 } as const;

/** One value of a field: an address, name or symbol as text, a port, mark or number as number. */
export type FieldValue = string | number;

/** How nft and the kernel know a sort of value. */
export interface Datatype {
  /** nft's number for it; a concatenation has six bits for each. */
  readonly id: number;
  /** In bytes. */
  readonly size: number;
  /** In which order its bytes are as they stand in a register. */
  readonly order: "network" | "host";
  /** Names of bits, for those whose values are sets of flags. */
  readonly bits?: Readonly<Record<string, number>>;
  /** Throws RangeError for a value that it cannot have. */
  readonly codec: Codec<FieldValue>;
}

/** A codec for a number that may have a name: named ones are read as their names. */
function integer(base: Codec<number>, size: number, names: Readonly<Record<string, number>> = {}) {
  const byName = new Map(Object.entries(names));
  const byNumber = new Map(Object.entries(names).map(([name, number]) => [number, name]));
  const limit = 2 ** (size * 8);
  return {
    write(writer, value) {
      const number = typeof value === "string" ? byName.get(value) : value;
      if (number === undefined || !Number.isInteger(number) || number < 0 || number >= limit)
        throw new RangeError(`${JSON.stringify(value)} is no integer of ${size * 8} bits`);
      base.write(writer, number);
    },
    read: (bytes) => {
      const number = base.read(bytes);
      return byNumber.get(number) ?? number;
    },
  } satisfies Codec<FieldValue>;
}

/** A codec for a value that is text. */
function textual(size: number, toBytes: (text: string) => Uint8Array, fromBytes: (bytes: Buffer) => string) {
  return {
    write(writer, value) {
      const bytes = toBytes(String(value));
      if (bytes.length !== size) throw new RangeError(`${value} has ${bytes.length} bytes, not ${size}`);
      writer.bytes(bytes);
    },
    read: fromBytes,
  } satisfies Codec<FieldValue>;
}

/** IFNAMSIZ. */
const ifnameSize = 16;

function nameBytes(name: string): Uint8Array {
  const bytes = Buffer.alloc(ifnameSize);
  const length = Buffer.byteLength(name);
  if (length === 0 || length >= ifnameSize)
    throw new RangeError(`${JSON.stringify(name)} is no interface name: it should have 1 to 15 bytes`);
  bytes.write(name);
  return bytes;
}

function nameText(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end < 0 ? bytes.length : end);
}

function address(size: 4 | 16) {
  const fits = size === 4 ? isIpv4 : isIpv6;
  // Hundreds of ports in a row lead to one address.
  let last: { readonly text: string; readonly bytes: Uint8Array } | undefined;
  return textual(
    size,
    (text) => {
      if (last?.text === text) return last.bytes;
      const parsed = parseAddress(text);
      if (!fits(parsed)) throw new RangeError(`${text} is an address of the other family`);
      last = { text, bytes: addressToBytes(parsed) };
      return last.bytes;
    },
    (bytes) => addressFromBytes(bytes),
  );
}

function network(id: number, size: number, codec: Codec<FieldValue>): Datatype {
  return { id, size, order: "network", codec };
}

function host(id: number, size: number, codec: Codec<FieldValue>): Datatype {
  return { id, size, order: "host", codec };
}

function bits(id: number, size: 1 | 4, table: Readonly<Record<string, number>>): Datatype {
  const base = size === 1 ? u8 : u32;
  return { id, size, order: "host", bits: table, codec: integer(base, size, table) };
}

/** The sorts of values that sets hold and rules compare, by nft's names. */
export const datatypes = {
  nf_proto: host(2, 1, integer(u8, 1, nfProtocols)),
  ipv4_addr: network(7, 4, address(4)),
  ipv6_addr: network(8, 16, address(16)),
  ether_addr: network(
    9,
    6,
    // A MacAddress is canonical text; any text of six bytes with colons gives its bytes all the same.
    textual(
      6,
      (text) => macToBytes(text as MacAddress),
      (bytes) => macFromBytes(bytes),
    ),
  ),
  ether_type: network(10, 2, integer(u16be, 2, etherTypes)),
  inet_proto: network(12, 1, integer(u8, 1, inetProtocols)),
  inet_service: network(13, 2, integer(u16be, 2)),
  icmp_type: network(14, 1, integer(u8, 1)),
  tcp_flag: bits(15, 1, tcpFlags),
  mark: host(19, 4, integer(u32, 4)),
  iface_index: host(20, 4, integer(u32, 4)),
  iface_type: host(21, 2, integer(u16, 2)),
  uid: host(24, 4, integer(u32, 4)),
  gid: host(25, 4, integer(u32, 4)),
  ct_state: bits(26, 4, ctStates),
  ct_dir: host(27, 1, integer(u8, 1, directions)),
  ct_status: bits(28, 4, ctStatuses),
  icmpv6_type: network(29, 1, integer(u8, 1)),
  pkt_type: host(31, 1, integer(u8, 1, packetTypes)),
  devgroup: host(35, 4, integer(u32, 4)),
  fib_addrtype: host(38, 4, integer(u32, 4, addressTypes)),
  /** What `fib ... present` gives: nft's boolean, in a word of four bytes. */
  fib_presence: host(39, 4, integer(u32, 4, presence)),
  boolean: host(39, 1, integer(u8, 1, presence)),
  ifname: host(41, ifnameSize, textual(ifnameSize, nameBytes, nameText)),
} as const satisfies Readonly<Record<string, Datatype>>;

/** nft's name of a sort of value. */
export type DatatypeName = keyof typeof datatypes;

/** What the fields of a set hold, for authors: typed values by the names of datatypes. */
export interface DatatypeValues {
  readonly ipv4_addr: Ipv4;
  readonly ipv6_addr: Ipv6;
  readonly ether_addr: MacAddress;
  readonly ifname: string;
  readonly inet_service: number;
  readonly mark: number;
  /** A protocol that has a name here is always read as its name. */
  readonly inet_proto: keyof typeof inetProtocols | number;
  readonly nf_proto: keyof typeof nfProtocols;
}

const byId = new Map<number, DatatypeName>(
  // Object.keys forgets that the keys are DatatypeNames.
  (Object.keys(datatypes) as DatatypeName[]).map((name) => [datatypes[name].id, name]),
);

/** The datatype with nft's number `id`; undefined for one that is not listed here. */
export function datatypeById(id: number): DatatypeName | undefined {
  return byId.get(id);
}

// Ten thousand elements are tens of thousands of values: one writer serves them all.
const scratch = new Writer();

/** The bytes of one value, a copy. Throws RangeError for a value that the codec cannot write. */
export function bytesWith<T>(codec: Pick<Codec<T>, "write">, value: T): Buffer {
  scratch.length = 0;
  codec.write(scratch, value);
  return Buffer.from(scratch.finish());
}
