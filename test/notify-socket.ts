import { isKernelError } from "../src/kernel/index.ts";
import * as sys from "../src/kernel/syscalls.ts";

/** What systemd opens for a service of Type=notify: a datagram socket, at a path or, with `@`, an abstract name. */
export class NotifySocket {
  readonly address: string;
  readonly #fd: number;

  /** In the calling thread's network namespace, which abstract names belong to. */
  constructor(address: string) {
    this.address = address;
    this.#fd = sys.socket(sys.AF_UNIX, sys.SOCK_DGRAM | sys.SOCK_NONBLOCK, 0);
    const bytes = Buffer.alloc(2 + Buffer.byteLength(address));
    bytes.writeUInt16LE(sys.AF_UNIX, 0);
    bytes.write(address, 2);
    if (address.startsWith("@")) bytes[2] = 0;
    sys.bind(this.#fd, bytes, address);
  }

  /** The messages that have come since it was asked last. */
  heard(): readonly string[] {
    const messages: string[] = [];
    const buffer = Buffer.alloc(4096);
    for (;;) {
      try {
        messages.push(buffer.toString("utf8", 0, sys.recv(this.#fd, buffer, 0, this.address)));
      } catch (error) {
        if (isKernelError(error, "EAGAIN")) return messages;
        throw error;
      }
    }
  }

  close(): void {
    sys.close(this.#fd);
  }
}
