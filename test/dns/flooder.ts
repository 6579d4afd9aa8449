import { addressToBytes } from "../../src/core/index.ts";
import { Framer } from "../../src/dns/framing.ts";
import { openTcpFor, openUdpTo } from "../../src/kernel/client-sockets.ts";
import { isKernelError } from "../../src/kernel/kernel-error.ts";
import * as sys from "../../src/kernel/syscalls.ts";
import type { TestNetns } from "../netns-fixture.ts";
import { resolver } from "./sandbox-client.ts";

const buffer = Buffer.alloc(65_536);

/** Is shown an answer, in memory that is used again. */
type Look = (answer: Buffer) => void;

/** A UDP client of a sandbox's resolver that sends as fast as it is told to, and throws away what it is answered. */
export class UdpFlooder {
  readonly #fd: number;
  sent = 0;

  constructor(netns: TestNetns) {
    this.#fd = openUdpTo(netns.path, resolver);
  }

  send(message: Uint8Array): void {
    sys.send(this.#fd, message, "send", "resolver");
    this.sent++;
  }

  /** Takes each answer that is there. */
  drain(look: Look = () => {}): void {
    for (;;) {
      const length = sys.recvNow(this.#fd, buffer, "answer");
      if (length === undefined) return;
      look(buffer.subarray(0, length));
    }
  }

  close(): void {
    sys.close(this.#fd);
  }
}

/** A TCP connection to a sandbox's resolver that sends some bytes, then its end, and reads until the other's. */
export class TcpFlooder {
  readonly #fd: number;
  #left: Uint8Array;
  #over = false;
  readonly #framer = new Framer(65_535);
  readonly #look: Look;

  constructor(netns: TestNetns, bytes: Uint8Array, look: Look = () => {}) {
    this.#look = look;
    this.#fd = openTcpFor(netns.path, resolver);
    this.#left = bytes;
    const address = Buffer.alloc(16); // struct sockaddr_in
    address.writeUInt16LE(sys.AF_INET, 0);
    address.writeUInt16BE(resolver.port, 2);
    address.set(addressToBytes(resolver.address), 4);
    sys.connectNow(this.#fd, address, "resolver");
  }

  /** True when the resolver has ended it too. */
  get isOver(): boolean {
    return this.#over;
  }

  /** Sends and reads what goes at once. */
  pump(): void {
    try {
      this.#send();
      this.#receive();
    } catch (error) {
      if (!isKernelError(error)) throw error;
      this.close(); // a reset
    }
  }

  /** Calling it twice does no harm. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    sys.close(this.#fd);
  }

  #send(): void {
    if (this.#left.length === 0) return;
    const sent = sys.sendNow(this.#fd, this.#left, this.#left.length) ?? 0;
    this.#left = this.#left.subarray(sent);
    if (this.#left.length === 0) sys.shutdownWrite(this.#fd);
  }

  #receive(): void {
    for (;;) {
      const length = sys.recvNow(this.#fd, buffer, "answers");
      if (length === undefined) return;
      if (length === 0) {
        this.close();
        return;
      }
      this.#framer.push(buffer.subarray(0, length));
      for (let frame = this.#framer.next(); frame?.kind === "message"; frame = this.#framer.next()) {
        this.#look(Buffer.from(frame.message));
      }
    }
  }
}
