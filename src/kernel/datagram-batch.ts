import * as sys from "./syscalls.ts";

/** Who sent a datagram, or is sent one. */
export interface Ipv4Peer {
  /** Four numbers with dots. */
  readonly address: string;
  readonly port: number;
}

/** How much a batch holds. */
export interface DatagramBatchInit {
  /** Datagrams received by one system call. */
  readonly slots: number;
  /** Bytes kept of one of them; the rest of a longer one is cut off, as recvmsg(2) does. */
  readonly maxBytes: number;
  /** Bytes of queued replies in all; a reply longer than this cannot be sent. */
  readonly replyBytes: number;
}

/** struct sockaddr_in. */
const sockaddrBytes = 16;

/**
 * Memory for receiving many datagrams of an IPv4 UDP socket by one system call, and for answering them by
 * another (recvmmsg(2), sendmmsg(2)). The structs are laid out once, so that a datagram costs no call and,
 * but for its copy, no allocation. One batch does for any number of sockets: receive, reply, and flush
 * before the next call and before another socket's turn.
 */
export class DatagramBatch {
  readonly #slots: number;
  readonly #maxBytes: number;
  // The kernel is given addresses of all of these, so they have to live as long as the batch.
  readonly #bytes: Buffer;
  readonly #replies: Buffer;
  readonly #repliesAddress: number;
  readonly #sockaddrs: Buffer;
  readonly #received: Headers;
  readonly #queued: Headers;
  #queuedCount = 0;
  #queuedBytes = 0;
  #refused = 0;

  constructor({ slots, maxBytes, replyBytes }: DatagramBatchInit) {
    this.#slots = slots;
    this.#maxBytes = maxBytes;
    this.#bytes = Buffer.allocUnsafeSlow(slots * maxBytes);
    this.#replies = Buffer.allocUnsafeSlow(replyBytes);
    this.#repliesAddress = sys.addressOf(this.#replies);
    this.#sockaddrs = Buffer.alloc((slots + 1) * sockaddrBytes); // one more, for place()
    const sockaddrs = sys.addressOf(this.#sockaddrs);
    this.#received = new Headers(slots, sockaddrs);
    this.#queued = new Headers(slots + 1, sockaddrs);
    const bytes = sys.addressOf(this.#bytes);
    for (let slot = 0; slot < slots; slot++) {
      this.#received.setPeer(slot, slot);
      this.#received.setData(slot, bytes + slot * maxBytes, maxBytes);
    }
  }

  /** Receives at most `limit` datagrams that are there already, and gives how many; they replace the former ones. Throws KernelError. */
  receive(fd: number, limit: number): number {
    return sys.recvmmsgNow(fd, this.#received.from(0), Math.min(limit, this.#slots));
  }

  /** A copy of the received datagram in `slot`. */
  message(slot: number): Buffer {
    const length = this.#received.receivedBytes(slot);
    const message = Buffer.allocUnsafe(length);
    const start = slot * this.#maxBytes;
    this.#bytes.copy(message, 0, start, start + length);
    return message;
  }

  /** Who sent the datagram in `slot`. */
  peer(slot: number): Ipv4Peer {
    const start = slot * sockaddrBytes;
    const address = this.#sockaddrs.subarray(start + 4, start + 8).join(".");
    return { address, port: this.#sockaddrs.readUInt16BE(start + 2) };
  }

  /** Notes who sent a datagram that was received in another way, and gives the slot to reply to; it lasts until the next one. */
  place({ address, port }: Ipv4Peer): number {
    const start = this.#slots * sockaddrBytes;
    this.#sockaddrs.writeUInt16LE(sys.AF_INET, start);
    this.#sockaddrs.writeUInt16BE(port, start + 2);
    let at = start + 4;
    let byte = 0;
    for (let i = 0; i < address.length; i++) {
      const digit = address.charCodeAt(i) - 0x30;
      if (digit >= 0) byte = byte * 10 + digit;
      else {
        this.#sockaddrs[at++] = byte; // a dot
        byte = 0;
      }
    }
    this.#sockaddrs[at] = byte;
    return this.#slots;
  }

  /** Queues a copy of `reply` for who sent the datagram in `slot`; sends what was queued before when there is no room. */
  reply(fd: number, slot: number, reply: Uint8Array): void {
    const full = this.#queuedCount > this.#slots;
    if (full || this.#queuedBytes + reply.length > this.#replies.length) this.#send(fd);
    if (reply.length > this.#replies.length) {
      this.#refused++;
      return;
    }
    this.#replies.set(reply, this.#queuedBytes);
    this.#queued.setPeer(this.#queuedCount, slot);
    this.#queued.setData(this.#queuedCount, this.#repliesAddress + this.#queuedBytes, reply.length);
    this.#queuedCount++;
    this.#queuedBytes += reply.length;
  }

  /** Sends what is queued; gives how many replies since the last flush the kernel would not take, which are lost. */
  flush(fd: number): number {
    this.#send(fd);
    const refused = this.#refused;
    this.#refused = 0;
    return refused;
  }

  #send(fd: number): void {
    for (let done = 0; done < this.#queuedCount; ) {
      const sent = sys.sendmmsgNow(fd, this.#queued.from(done), this.#queuedCount - done);
      if (sent === 0) this.#refused++; // the first of the rest; those behind it may do better
      done += Math.max(sent, 1);
    }
    this.#queuedCount = 0;
    this.#queuedBytes = 0;
  }
}

/** Members of struct mmsghdr and struct iovec, counted in words of {@link sys.pointerBytes}; padding fills the rest. */
const header = { words: 8, name: 0, nameLength: 1, vector: 2, vectorCount: 3, received: 7 };
const vector = { words: 2, base: 0, length: 1 };
/** 32-bit numbers in a word. */
const parts = sys.pointerBytes / 4;

/** An array of struct mmsghdr, each with one piece of data (struct iovec) and an address of `sockaddrs`. */
class Headers {
  readonly #sockaddrs: number;
  readonly #headers: Uint32Array;
  readonly #vectors: Uint32Array;
  readonly #bytes: Buffer;

  constructor(count: number, sockaddrs: number) {
    this.#sockaddrs = sockaddrs;
    // With buffers of their own: the memory of a small array without one may move.
    this.#headers = new Uint32Array(new ArrayBuffer(count * header.words * sys.pointerBytes));
    this.#vectors = new Uint32Array(new ArrayBuffer(count * vector.words * sys.pointerBytes));
    this.#bytes = Buffer.from(this.#headers.buffer);
    const vectors = sys.addressOf(this.#vectors);
    for (let i = 0; i < count; i++) {
      const word = i * header.words;
      this.#headers[(word + header.nameLength) * parts] = sockaddrBytes;
      setWord(this.#headers, word + header.vector, vectors + i * vector.words * sys.pointerBytes);
      this.#headers[(word + header.vectorCount) * parts] = 1;
    }
  }

  /** The array from one element on, for a system call. */
  from(index: number): Buffer {
    const start = index * header.words * sys.pointerBytes;
    return start === 0 ? this.#bytes : this.#bytes.subarray(start);
  }

  setPeer(index: number, slot: number): void {
    setWord(this.#headers, index * header.words + header.name, this.#sockaddrs + slot * sockaddrBytes);
  }

  setData(index: number, address: number, length: number): void {
    setWord(this.#vectors, index * vector.words + vector.base, address);
    setWord(this.#vectors, index * vector.words + vector.length, length);
  }

  /** What the kernel says it received. */
  receivedBytes(index: number): number {
    return this.#headers[(index * header.words + header.received) * parts] ?? 0;
  }
}

/** Writes a pointer or a size_t, the low half first, as every machine that Node runs on keeps it. */
function setWord(words: Uint32Array, word: number, value: number): void {
  words[word * parts] = value; // modulo 2^32
  if (parts === 2) words[word * parts + 1] = value / 2 ** 32;
}
