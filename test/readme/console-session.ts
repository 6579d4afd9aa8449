import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { TestNetns } from "../netns-fixture.ts";

/** Behind what a line printed, before its status. No text of people has it. */
const marker = "\u0001ended\u0001";

/** A shell in a namespace that somebody types at; standard error comes with standard output. */
export class ConsoleSession {
  readonly #shell: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  /** `prepare` is run first, by sh; `env` is all of the shell's environment. */
  constructor(
    netns: TestNetns,
    init: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly prepare?: string },
  ) {
    const { cwd, env, prepare = "true" } = init;
    // A mount namespace of its own: what is mounted in it is nobody else's, and gone with it.
    const args = ["--mount", "sh", "-c", `${prepare} && exec bash --norc --noprofile -s 2>&1`];
    this.#shell = netns.start("unshare", args, { cwd, env, stdio: ["pipe", "pipe", "inherit"] });
    if (this.#shell.stdout === null) throw new Error("a shell without a pipe");
    this.#lines = createInterface({ input: this.#shell.stdout })[Symbol.asyncIterator]();
  }

  /** Types a line; gives its status and what it printed. Throws when the shell has ended. */
  async type(command: string): Promise<{ readonly status: number; readonly printed: string }> {
    // The command reads nothing of what is typed to the shell behind it.
    this.#shell.stdin?.write(`{ ${command}\n} < /dev/null; printf '${marker}%s\\n' "$?"\n`);
    let printed = "";
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error(`the shell ended at ${command}: ${printed}`);
      const at = value.indexOf(marker);
      if (at >= 0) {
        const rest = value.slice(0, at);
        return {
          status: Number(value.slice(at + marker.length)),
          printed: `${printed}${rest && `${rest}\n`}`,
        };
      }
      printed += `${value.trimEnd()}\n`;
    }
  }

  /** Ends the shell. */
  async close(): Promise<void> {
    if (this.#shell.exitCode !== null || this.#shell.signalCode !== null) return;
    const closed = once(this.#shell, "close");
    this.#shell.stdin?.end();
    await closed;
  }
}
