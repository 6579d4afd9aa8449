import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { text } from "node:stream/consumers";
import { repositoryFolder } from "../fixture-file.ts";

/** The file that is `weft`. */
export const weftProgram = path.join(repositoryFolder(), "dist/src/cli/main.js");

/** What a program printed, and its exit status as a shell has it. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `weft` as a program of its own. */
export class WeftProcess {
  readonly child: ChildProcess;
  readonly #ended: Promise<Ended>;

  constructor(socketPath: string, argv: readonly string[], options: { readonly cwd?: string } = {}) {
    const env = { PATH: process.env.PATH, WEFT_SOCKET: socketPath };
    const child = spawn(process.execPath, [weftProgram, ...argv], { ...options, env, stdio: "pipe" });
    this.child = child;
    const exit = once(child, "close");
    this.#ended = Promise.all([exit, text(child.stdout), text(child.stderr)]).then(
      ([[status], stdout, stderr]) => ({
        status,
        stdout,
        stderr,
      }),
    );
  }

  /** Types `input` to its end, and waits until the program has ended. */
  end(input = ""): Promise<Ended> {
    this.child.stdin?.on("error", () => {}); // it reads nothing
    this.child.stdin?.end(input);
    return this.#ended;
  }
}

/** Uses `weft` as a program of its own. */
export function runWeft(socketPath: string, argv: readonly string[], input?: string): Promise<Ended> {
  return new WeftProcess(socketPath, argv).end(input);
}
