import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import type { TestNetns } from "../../netns-fixture.ts";

/** The command of a sandbox that says again whatever is said to it. */
export const echoServer = (port: number): readonly string[] => [
  "busybox",
  "nc",
  "-ll",
  "-p",
  String(port),
  "-e",
  "/bin/cat",
];

/** A TCP connection to an {@link echoServer} that stays open. */
export class Conversation {
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #ended: Promise<never>;
  #said = 0;

  /** From a namespace; the server has to listen already. */
  constructor(from: TestNetns, address: string, port: number) {
    this.#child = from.start("busybox", ["nc", address, String(port)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    assert.ok(this.#child.stdout);
    this.#lines = createInterface({ input: this.#child.stdout });
    this.#ended = once(this.#child, "exit").then(() => {
      throw new Error(`the connection ended after ${this.#said - 1} lines`);
    });
    this.#ended.catch(() => {}); // when nobody says anything any more, that is as it should be
  }

  /** Says something, and waits for it to come back. Throws when the connection has ended. */
  async goOn(): Promise<void> {
    const said = `line ${++this.#said}`;
    const heard = once(this.#lines, "line");
    this.#child.stdin?.write(`${said}\n`);
    const [line] = await Promise.race([heard, this.#ended]);
    assert.equal(line, said);
  }

  end(): void {
    this.#child.kill("SIGKILL");
  }
}
