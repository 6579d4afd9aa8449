import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { atEnd } from "./cleanup.ts";

/** The path of a compiled program of this folder, by its name without extension. */
function programPath(name: string): string {
  return fileURLToPath(new URL(`./${name}.js`, import.meta.url));
}

/** A program of this folder, with what it wrote so far. */
export class Program {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #output = "";
  #wake: () => void = () => {};

  /** Starts it; it is killed when the test ends. `limitKiB`, if given, is how large its files may grow. */
  constructor(t: TestContext, name: string, args: readonly string[], limitKiB?: number) {
    const command = [process.execPath, programPath(name), ...args];
    // dash counts in blocks of 512 bytes.
    const limited = ["sh", "-c", `ulimit -f ${(limitKiB ?? 0) * 2}; exec "$@"`, "sh", ...command];
    const [file = "", ...rest] = limitKiB === undefined ? command : limited;
    this.#child = spawn(file, rest, { stdio: ["pipe", "pipe", "ignore"] });
    this.#ended = once(this.#child, "close");
    atEnd(t, () => this.kill());
    this.#child.stdin?.on("error", () => {}); // it may be dead already
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#output += text;
      this.#wake();
    });
    this.#child.once("close", () => this.#wake());
  }

  /** The whole lines it wrote. */
  get lines(): readonly string[] {
    return this.#output.split("\n").slice(0, -1);
  }

  /** Sends it the byte that it waits for. */
  go(): void {
    this.#child.stdin?.write("g");
  }

  /** Waits until it wrote `count` lines, or ended. */
  async wrote(count: number): Promise<void> {
    while (this.lines.length < count && this.#child.exitCode === null && this.#child.signalCode === null) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Kills it, and waits until it is gone and all it wrote was read. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  /** Waits for its end; gives its exit code, or the signal that killed it. */
  async end(): Promise<number | NodeJS.Signals | null> {
    await this.#ended;
    return this.#child.exitCode ?? this.#child.signalCode;
  }
}
