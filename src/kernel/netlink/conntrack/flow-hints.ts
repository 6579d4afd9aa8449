import { addressToBytes, type IpAddress } from "../../../core/index.ts";
import { readU16 } from "../wire.ts";

/** What flows can be told by from afar: each that is looked for has at least one of these. */
export interface FlowHints {
  /** The source of one of its directions, or where its first packet was sent to. */
  readonly addresses: Iterable<IpAddress>;
  /** The port that its first packet was sent to. */
  readonly ports: Iterable<number>;
}

/** struct nfgenmsg, by which every message of nfnetlink begins. */
const headerSize = 4;
const attributeHeaderSize = 4;
const NLA_TYPE_MASK = 0x3fff;
/** CTA_*, CTA_TUPLE_*, CTA_PROTO_*; CTA_IP_* of both families. */
const CTA_TUPLE_ORIG = 1;
const CTA_TUPLE_REPLY = 2;
const CTA_TUPLE_IP = 1;
const CTA_TUPLE_PROTO = 2;
const CTA_PROTO_DST_PORT = 3;
const sourceNumbers = [1, 3] as const;
const destinationNumbers = [2, 4] as const;

/**
 * Tells from a message's bytes whether it may be of a flow that is looked for. It is wrong about some that are
 * not, for of an address it compares the last four bytes; but it makes no objects, and a table may have 100,000
 * flows, of which few are decoded then.
 */
export function mayBeWanted({ addresses, ports }: FlowHints): (payload: Buffer) => boolean {
  const endings = new Set<number>();
  for (const address of addresses) {
    const bytes = Buffer.from(addressToBytes(address));
    endings.add(bytes.readUInt32BE(bytes.length - 4));
  }
  const wantedPorts = new Set(ports);

  return (payload) => {
    const original = attributeIn(payload, headerSize, payload.length, CTA_TUPLE_ORIG);
    const sentTo = inside(payload, original, CTA_TUPLE_IP);
    if (hasAddress(payload, sentTo, sourceNumbers) || hasAddress(payload, sentTo, destinationNumbers))
      return true;
    if (wantedPorts.size > 0) {
      const port = inside(payload, inside(payload, original, CTA_TUPLE_PROTO), CTA_PROTO_DST_PORT);
      if (port >= 0 && wantedPorts.has(payload.readUInt16BE(port + attributeHeaderSize))) return true;
    }
    const reply = attributeIn(payload, headerSize, payload.length, CTA_TUPLE_REPLY);
    return hasAddress(payload, inside(payload, reply, CTA_TUPLE_IP), sourceNumbers);
  };

  function hasAddress(payload: Buffer, addressesAt: number, numbers: readonly [number, number]): boolean {
    const [four, six] = numbers;
    let at = inside(payload, addressesAt, four);
    if (at < 0) at = inside(payload, addressesAt, six);
    return at >= 0 && endings.has(payload.readUInt32BE(at + readU16(payload, at) - 4));
  }
}

/** Where the attribute of that number begins within the one that begins at `at`; -1 when either is not there. */
function inside(payload: Buffer, at: number, number: number): number {
  if (at < 0) return -1;
  return attributeIn(payload, at + attributeHeaderSize, at + readU16(payload, at), number);
}

/** Where the attribute of that number begins, header and all, among those from `at` to `end`; -1 when it is not there. */
function attributeIn(payload: Buffer, from: number, end: number, number: number): number {
  for (let at = from; at + attributeHeaderSize <= end; ) {
    const length = readU16(payload, at);
    if (length < attributeHeaderSize) return -1;
    if ((readU16(payload, at + 2) & NLA_TYPE_MASK) === number) return at;
    at += (length + 3) & ~3;
  }
  return -1;
}
