import * as sys from "../kernel/syscalls.ts";

// struct msghdr, iovec and cmsghdr of a 64-bit Linux (include/linux/socket.h), each with what it points to.
const nameLengthAt = 8;
const controlLengthAt = 40;
const iovecAt = 56;
const payloadLengthAt = 64;
const nameAt = 72;
const nameBytes = 28; // struct sockaddr_in6, the longer one
const controlAt = 104;
const controlBytes = 64;
const payloadAt = 168;
const maxPayload = 65_536;
const cmsgHeaderBytes = 16;

/** struct in_pktinfo: the interface's index, the local address to answer from, the address in the header. */
const pktinfo4 = { bytes: 12, indexAt: 0, addressAt: 4 };
/** struct in6_pktinfo: the address, the interface's index. */
const pktinfo6 = { bytes: 20, indexAt: 16, addressAt: 0 };

/** Where a datagram came from, and where to it was sent. */
export interface Origin {
  /** Differs between two origins. */
  readonly key: string;
  /** struct sockaddr of the sender. */
  readonly name: Buffer;
  /** A control message that makes an answer leave from the address the datagram was sent to; undefined when that is unknown. */
  readonly control: Buffer | undefined;
}

/** Room for one datagram, where it comes from or goes to, and which local address it is sent to or from. */
export class Datagram {
  /** All of the room for the payload; how much of it counts is said by who uses it. */
  readonly payload: Buffer;
  readonly #memory: Buffer;
  readonly #name: Buffer;
  readonly #control: Buffer;

  constructor() {
    const { bytes, address } = sys.fixedMemory(payloadAt + maxPayload);
    this.#memory = bytes;
    this.#name = bytes.subarray(nameAt, nameAt + nameBytes);
    this.#control = bytes.subarray(controlAt, controlAt + controlBytes);
    this.payload = bytes.subarray(payloadAt);
    bytes.writeBigUInt64LE(address + BigInt(nameAt), 0); // msg_name
    bytes.writeBigUInt64LE(address + BigInt(iovecAt), 16); // msg_iov
    bytes.writeBigUInt64LE(1n, 24); // msg_iovlen
    bytes.writeBigUInt64LE(address + BigInt(controlAt), 32); // msg_control
    bytes.writeBigUInt64LE(address + BigInt(payloadAt), iovecAt); // iov_base
  }

  /** Receives one datagram and gives its length; undefined when there is none. Throws KernelError. */
  receive(fd: number): number | undefined {
    this.#setLengths(nameBytes, controlBytes, maxPayload);
    return sys.recvmsgNow(fd, this.#memory);
  }

  /** What tells the origin of the datagram received last from others. */
  originKey(): string {
    const six = this.#isIpv6();
    // Port and address; with them, for IPv6, flow and scope.
    const sender = this.#name.toString("latin1", 2, six ? nameBytes : 8);
    if (!this.#hasPacketInfo(six)) return sender;
    const at = cmsgHeaderBytes + (six ? pktinfo6 : pktinfo4).addressAt;
    return sender + this.#control.toString("latin1", at, at + (six ? 16 : 4));
  }

  /** Who sent the datagram received last, and to which of the host's addresses; `key` is its {@link originKey}. */
  origin(key: string): Origin {
    const name = Buffer.from(this.#name.subarray(0, this.#memory.readUInt32LE(nameLengthAt)));
    const six = this.#isIpv6();
    return { key, name, control: this.#hasPacketInfo(six) ? this.#answerControl(six) : undefined };
  }

  /** Sends the first `length` bytes of the payload back to an origin; false when the kernel has no room. Throws KernelError. */
  answer(fd: number, { name, control }: Origin, length: number): boolean {
    name.copy(this.#name);
    control?.copy(this.#control);
    this.#setLengths(name.length, control?.length ?? 0, length);
    return sys.sendmsgNow(fd, this.#memory) !== undefined;
  }

  /** The upper halves of these 64-bit numbers stay 0. */
  #setLengths(name: number, control: number, payload: number): void {
    this.#memory.writeUInt32LE(name, nameLengthAt);
    this.#memory.writeUInt32LE(control, controlLengthAt);
    this.#memory.writeUInt32LE(payload, payloadLengthAt);
  }

  #isIpv6(): boolean {
    return this.#name.readUInt16LE(0) === sys.AF_INET6;
  }

  /** Whether the kernel told where to the datagram was sent. It is all that is ever asked for, so it comes first. */
  #hasPacketInfo(six: boolean): boolean {
    const [level, type] = six ? [sys.IPPROTO_IPV6, sys.IPV6_PKTINFO] : [sys.IPPROTO_IP, sys.IP_PKTINFO];
    return (
      this.#memory.readUInt32LE(controlLengthAt) > cmsgHeaderBytes &&
      this.#control.readInt32LE(8) === level &&
      this.#control.readInt32LE(12) === type
    );
  }

  #answerControl(six: boolean): Buffer {
    const { bytes, indexAt, addressAt } = six ? pktinfo6 : pktinfo4;
    // Padded to 8 bytes, as control messages are.
    const control = Buffer.from(this.#control.subarray(0, cmsgHeaderBytes + ((bytes + 7) & ~7)));
    const data = control.subarray(cmsgHeaderBytes);
    // The interface is left to the routes, but a link-local address means nothing without it.
    const linkLocal = six && data[addressAt] === 0xfe && ((data[addressAt + 1] ?? 0) & 0xc0) === 0x80;
    if (!linkLocal) data.writeUInt32LE(0, indexAt);
    return control;
  }
}
