import { attribute, attributes } from "./attributes.ts";
import { i32, readU16, readU32, text, u32, type Writer } from "./wire.ts";

/** Flags and types of include/uapi/linux/netlink.h. */
export const NLM_F_REQUEST = 0x1;
export const NLM_F_MULTI = 0x2;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;
export const NLM_F_DUMP = 0x300;
/** In a delete request of nfnetlink: do not recurse into what the object holds. */
export const NLM_F_NONREC = 0x100;
export const NLMSG_NOOP = 1;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;

/** Bytes of struct nlmsghdr. */
export const headerSize = 16;

/** What is sent: a message type, its flags besides REQUEST and ACK, and a body written in place. */
export interface NetlinkRequest {
  readonly type: number;
  /** For instance NLM_F_CREATE | NLM_F_EXCL. */
  readonly flags: number;
  /** Writes the family's header and the attributes. */
  readonly body: (writer: Writer) => void;
  /** The name of `type` for errors, `RTM_NEWLINK`. */
  readonly call: string;
  /** What the request is about, for errors: a link's name, a route's destination. */
  readonly object: string;
}

/** What comes back. `payload` shares the memory it was received in and holds until the next receive. */
export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly payload: Buffer;
}

/** Writes one message with its header. */
export function writeMessage(writer: Writer, request: NetlinkRequest, flags: number, sequence: number): void {
  const start = writer.length;
  writer.u32(0);
  writer.u16(request.type);
  writer.u16(request.flags | flags);
  writer.u32(sequence);
  writer.u32(0); // the port is the kernel's to fill in
  request.body(writer);
  writer.setU32(start, writer.length - start);
  writer.align();
}

/** Walks over the messages of one datagram. Throws RangeError when one is cut off. */
export function* readMessages(datagram: Buffer): Generator<NetlinkMessage> {
  let at = 0;
  while (at + headerSize <= datagram.length) {
    const length = readU32(datagram, at);
    if (length < headerSize || at + length > datagram.length) {
      throw new RangeError(`netlink message of ${length} bytes at ${at} in ${datagram.length}`);
    }
    yield {
      type: readU16(datagram, at + 4),
      flags: readU16(datagram, at + 6),
      sequence: readU32(datagram, at + 8),
      payload: datagram.subarray(at + headerSize, at + length),
    };
    at += (length + 3) & ~3;
  }
}

/** What an NLMSG_ERROR says: errno 0 is an acknowledgement. */
export interface Acknowledgement {
  /** Positive errno, 0 for success. */
  readonly errno: number;
  /** The kernel's own words. */
  readonly words?: string | undefined;
  /** Offset in the request, in bytes from its header, of the attribute at fault. */
  readonly offset?: number | undefined;
}

/** NLMSGERR_ATTR_* of include/uapi/linux/netlink.h. */
const extendedAck = attributes({ words: attribute(1, text), offset: attribute(2, u32) });

/** Reads struct nlmsgerr and the extended acknowledgement behind it. */
export function readAcknowledgement(message: NetlinkMessage): Acknowledgement {
  const errno = -i32.read(message.payload);
  if ((message.flags & NLM_F_ACK_TLVS) === 0) return { errno };
  // The request's header always follows the errno; its body too, unless the kernel capped it.
  const requestLength = readU32(message.payload, 4);
  const echoed = (message.flags & NLM_F_CAPPED) !== 0 ? headerSize : (requestLength + 3) & ~3;
  return { errno, ...extendedAck.read(message.payload.subarray(4 + echoed)) };
}

/** Reads the NLMSG_DONE of a dump, which carries the errno of one that failed on the way and no request. */
export function readDumpEnd(message: NetlinkMessage): Acknowledgement {
  if (message.payload.length < 4) return { errno: 0 };
  const errno = -i32.read(message.payload);
  if ((message.flags & NLM_F_ACK_TLVS) === 0) return { errno };
  return { errno, ...extendedAck.read(message.payload.subarray(4)) };
}
