// Types lines for the demo: runs a command in a namespace, and prints it, how long it took and what it printed.
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { inNetnsAt } from "../../src/kernel/netlink/index.ts";

const weftProgram = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
/** Where the programs are that the demo runs. */
const folder = fileURLToPath(new URL(".", import.meta.url));

/** What a line did. */
interface Outcome {
  readonly status: number;
  /** Standard output, and standard error behind it. */
  readonly output: string;
}

/** A shell at some place: the host, or the outside. */
export class Shell {
  readonly #netns: string;
  readonly #prompt: string;
  readonly #env: NodeJS.ProcessEnv;

  /** `netns` is the namespace that commands are born in. */
  constructor(netns: string, prompt: string, env: Readonly<Record<string, string>> = {}) {
    this.#netns = netns;
    this.#prompt = prompt;
    this.#env = { ...process.env, ...env };
  }

  /** Runs `weft`, and throws unless it ends as it should: with 0, or with the `status` that was named. */
  weft(words: readonly string[], { status = 0 } = {}): Promise<string> {
    return this.#type(["weft", ...words], [process.execPath, weftProgram, ...words], status);
  }

  /** Runs any command, with the same words. */
  run(words: readonly string[], { status = 0 } = {}): Promise<string> {
    return this.#type(words, words, status);
  }

  /** Starts a command that goes on, without a word. */
  start(words: readonly string[]): { readonly end: () => Promise<void> } {
    const child = this.#spawn(words, "ignore");
    const closed = once(child, "close");
    closed.catch(() => {}); // whoever needs it finds that it is not there
    return {
      end: async () => {
        child.kill();
        await closed;
      },
    };
  }

  async #type(shown: readonly string[], words: readonly string[], wanted: number): Promise<string> {
    const start = performance.now();
    const { status, output } = await this.#outcomeOf(words);
    const ms = (performance.now() - start).toFixed(0).padStart(6);
    console.log(`${ms} ms  ${this.#prompt}$ ${shown.map(quoted).join(" ")}`);
    for (const line of output.trimEnd().split("\n"))
      if (output !== "") console.log(`${" ".repeat(11)}${line}`);
    if (status !== wanted) throw new Error(`the demo failed: that ended with ${status} and not ${wanted}`);
    return output;
  }

  #spawn([program = "", ...args]: readonly string[], output: "pipe" | "ignore"): ChildProcess {
    const options: SpawnOptions = { cwd: folder, env: this.#env, stdio: ["ignore", output, output] };
    return inNetnsAt(this.#netns, () => spawn(program, args, options));
  }

  async #outcomeOf(words: readonly string[]): Promise<Outcome> {
    const child = this.#spawn(words, "pipe");
    const status = new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve(code ?? 1));
    });
    const [ended, out, err] = await Promise.all([status, textOf(child.stdout), textOf(child.stderr)]);
    return { status: ended, output: out + err };
  }
}

async function textOf(stream: Readable | null): Promise<string> {
  return stream === null ? "" : text(stream);
}

/** A word as a shell would have to be given it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./[\]-]+$/.test(word) ? word : `'${word}'`;
}
