import { type Clock, systemClock, WeftError } from "../core/index.ts";
import { requireRoot } from "../kernel/index.ts";
import type { CommandInit, ExitStatus } from "./command.ts";
import { orderOf } from "./init-order.ts";
import { LauncherLink, type StartedCommand } from "./launcher-link.ts";
import { SandboxProcess } from "./sandbox-process.ts";
import { type OpenStdio, openStdio } from "./stdio.ts";

/**
 * Starts commands in sandboxes. A command gets the sandbox's network namespace, a PID, a mount and a UTS
 * namespace of its own, and nothing else changes: it sees the host's files, but for the sandbox's own
 * files, /proc and /sys. All starts go through one thread; the main thread enters no namespace.
 *
 * A command outlives the launcher and the whole program unless its streams are pipes (or a terminal).
 */
export class Launcher {
  readonly #clock: Clock;
  #link: LauncherLink | undefined;
  #closed = false;
  #nextId = 1;

  constructor(options: { readonly clock?: Clock } = {}) {
    this.#clock = options.clock ?? systemClock;
  }

  /** Starts the launcher thread; {@link run} can be used once this resolves. Throws NO_ROOT, LAUNCH. */
  async start(): Promise<void> {
    requireRoot();
    this.#refuseClosed();
    this.#link ??= new LauncherLink();
    await this.#link.ready;
  }

  /**
   * Starts a command; resolves once its program runs. Throws INVALID_COMMAND when it cannot be run as
   * asked (no such program, folder or user; the message says which), LAUNCH when the sandbox cannot be
   * entered (its namespace or a file is gone), ABORTED. Nothing is left behind then.
   */
  async run(init: CommandInit): Promise<SandboxProcess> {
    const link = this.#started();
    const order = orderOf(init);
    refuseAborted(init.signal);
    const stdio = openStdio(init.stdio ?? {});
    const id = this.#nextId++;
    const request = {
      kind: "run",
      id,
      order,
      stdio: stdio.child,
      ownSession: init.stdio?.stdin !== "inherit",
    } as const;
    const abort = () => link.signal(id, "SIGKILL");
    init.signal?.addEventListener("abort", abort);
    try {
      const started = await link.run(request);
      if (init.signal?.aborted) await ended(started.exited);
      refuseAborted(init.signal);
      return this.#processOf(link, id, started, stdio);
    } catch (error) {
      stdio.destroyStreams();
      refuseAborted(init.signal);
      throw error;
    } finally {
      init.signal?.removeEventListener("abort", abort);
      stdio.releaseChild();
    }
  }

  /**
   * Starts no more commands, and ends the launcher thread. Commands that still run go on, and no longer
   * keep the program from ending; the thread then lives on to await their ends, behind the scenes.
   */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#link?.close();
  }

  #processOf(link: LauncherLink, id: number, started: StartedCommand, stdio: OpenStdio): SandboxProcess {
    return new SandboxProcess(started, stdio.streams, {
      clock: this.#clock,
      signal: (signal) => link.signal(id, signal),
      unref: () => link.unref(id),
    });
  }

  #started(): LauncherLink {
    this.#refuseClosed();
    if (this.#link === undefined) throw new WeftError("LAUNCH", "the launcher has not been started");
    return this.#link;
  }

  #refuseClosed(): void {
    if (this.#closed) throw new WeftError("LAUNCH", "the launcher is closed");
  }
}

function refuseAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw new WeftError("ABORTED", "the start of a command was given up", { cause: signal.reason });
}

/** Waits for the end of a command that was killed; how it ended is nobody's interest. */
async function ended(exited: Promise<ExitStatus>): Promise<void> {
  await exited.catch(() => {});
}
