import type { Writable } from "node:stream";
import type { WeftClient } from "../api/client/index.ts";
import { ExitError, lineOf } from "./failures.ts";
import type { HostChanges } from "./host-changes.ts";
import { type Surroundings, write } from "./surroundings.ts";

/** Where `weft up` keeps its state and its socket unless told otherwise. */
export const defaultRoot = "/var/lib/weft";
export const defaultRun = "/run/weft";

/** The socket of a daemon whose run folder is `run`. */
export function socketIn(run: string): string {
  return `${run}/weft.sock`;
}

/** What a command works with: its surroundings, and the daemon, which is reached when it is first asked. */
export class Context {
  readonly surroundings: Surroundings;
  /** The daemon's socket; set when the words of the command line have been read. */
  socketPath: string;
  /** The one that takes changes in the daemon's place while `weft plan` tries a command out. */
  readonly planner: HostChanges | undefined;
  #client: WeftClient | undefined;

  constructor(surroundings: Surroundings, planner?: HostChanges) {
    this.surroundings = surroundings;
    this.planner = planner;
    this.socketPath = socketPathOf(surroundings.env.WEFT_SOCKET) ?? socketIn(defaultRun);
  }

  /** The daemon, for questions. */
  async client(): Promise<WeftClient> {
    if (this.#client === undefined) {
      // Not at the start: help, completion and wrong usage ask nobody.
      const { WeftClient } = await import("../api/client/index.ts");
      this.#client = new WeftClient({ socketPath: this.socketPath });
    }
    return this.#client;
  }

  /** The daemon, for changes; or what stands in for it. */
  async changes(): Promise<HostChanges> {
    return this.planner ?? (await this.client());
  }

  /** The same for a command that is only tried out: its changes go to `planner`, what it prints to `stdout`. */
  forPlanning(planner: HostChanges, stdout: Writable): Context {
    // Not spread: its standard input is opened by being looked at.
    const context = new Context(Object.create(this.surroundings, { stdout: { value: stdout } }), planner);
    context.socketPath = this.socketPath;
    return context;
  }

  /** Writes to the standard output. */
  print(text: string | Uint8Array): Promise<void> {
    return write(this.surroundings.stdout, text);
  }

  /** Says on the standard error, as one line, what went wrong; when that cannot be said, nothing more is wrong. */
  complain(error: unknown): Promise<void> {
    return write(this.surroundings.stderr, `weft: ${lineOf(error)}\n`).catch(() => {});
  }

  /** Does `work` for each of `targets`, also after one was refused. Throws ExitError 1 when any was. */
  async each<T>(targets: readonly T[], work: (target: T) => Promise<void>): Promise<void> {
    let refused = false;
    for (const target of targets) {
      try {
        await work(target);
      } catch (error) {
        refused = true;
        await this.complain(error);
      }
    }
    if (refused) throw new ExitError(1);
  }
}

/** A socket's path, also from Docker's `unix://PATH`; undefined for no or empty text. */
export function socketPathOf(text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined;
  return text.startsWith("unix://") ? text.slice("unix://".length) : text;
}
