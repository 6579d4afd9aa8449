import { setImmediate } from "node:timers/promises";
import * as sys from "../../src/kernel/syscalls.ts";

/** How long an answer may take, ms; only a broken server takes it all. */
const patienceMs = 5000;

/**
 * A UDP client whose sends happen at once, with no turn of the event loop between them, so that a server
 * in this thread finds all of them waiting.
 */
export class BurstClient {
  readonly #fd: number;
  #open = true;

  /** Talks to a port of 127.0.0.1. */
  constructor(port: number) {
    const address = Buffer.alloc(16); // struct sockaddr_in
    address.writeUInt16LE(sys.AF_INET, 0);
    address.writeUInt16BE(port, 2);
    address.set([127, 0, 0, 1], 4);
    this.#fd = sys.socket(sys.AF_INET, sys.SOCK_DGRAM, 0);
    sys.connect(this.#fd, address, `127.0.0.1:${port}`);
  }

  send(...messages: readonly (string | Uint8Array)[]): void {
    for (const message of messages) sys.send(this.#fd, Buffer.from(message), "send", "query");
  }

  /** The next answers, as text. Throws when they do not come. */
  async take(count: number): Promise<readonly string[]> {
    const answers: string[] = [];
    const buffer = Buffer.alloc(65_536);
    for (const deadline = Date.now() + patienceMs; answers.length < count; ) {
      const length = sys.recvNow(this.#fd, buffer, "answer");
      if (length !== undefined) answers.push(buffer.toString("latin1", 0, length));
      else if (Date.now() > deadline) throw new Error(`${answers.length} of ${count} answers came`);
      else await setImmediate();
    }
    return answers;
  }

  /** Calling it twice does no harm. */
  close(): void {
    if (this.#open) sys.close(this.#fd);
    this.#open = false;
  }
}
