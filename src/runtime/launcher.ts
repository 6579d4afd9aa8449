import { readFileSync } from "node:fs";
import os from "node:os";
import { type Clock, systemClock, WeftError } from "../core/index.ts";
import { requireRoot } from "../kernel/index.ts";
import * as sys from "../kernel/syscalls.ts";
import type { CommandInit, ExecInit, ExitStatus } from "./command.ts";
import { Foreground } from "./foreground.ts";
import { joinOrderOf, type OrderContext, orderOf } from "./init-order.ts";
import type { InitOrder } from "./init-protocol.ts";
import { LauncherLink, type StartedCommand } from "./launcher-link.ts";
import { openProcess, type ProcessIdentity } from "./process-identity.ts";
import { SandboxProcess } from "./sandbox-process.ts";
import { type OpenStdio, openStdio } from "./stdio.ts";
import { Terminal } from "./terminal.ts";
import type { RunRequest } from "./thread-protocol.ts";

/**
 * Starts commands in sandboxes. A command gets the sandbox's network namespace, a PID, a mount and a UTS
 * namespace of its own, and Docker's capabilities. It sees the host's files, unless it has a root folder of its
 * own, but for the sandbox's files, /proc and /sys. All starts go through one thread; the main thread enters no
 * namespace.
 *
 * A command outlives the launcher and the whole program unless its streams are pipes (or a terminal).
 */
export class Launcher {
  readonly #clock: Clock;
  readonly #spare: number;
  #link: LauncherLink | undefined;
  #closed = false;
  #nextId = 1;

  /**
   * `spare` processes, none when not given, wait for a command to become, with Node's own start behind them: that
   * is most of what a start takes. Each takes some 40 MB meanwhile, and is replaced after its use. They serve
   * {@link run}, but for commands that read the caller's terminal, and not {@link exec}.
   */
  constructor(options: { readonly clock?: Clock; readonly spare?: number } = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#spare = options.spare ?? 0;
  }

  /**
   * Begins to start the launcher thread, which takes 50 ms, and no process: for a program that has other things to do
   * before {@link start}. What keeps the thread from starting is thrown there.
   */
  prepare(): void {
    this.#refuseClosed();
    this.#link ??= new LauncherLink();
  }

  /** Starts the launcher thread; {@link run} can be used once this resolves. Throws NO_ROOT, LAUNCH. */
  async start(): Promise<void> {
    requireRoot();
    this.prepare();
    await this.#started().ready;
    if (this.#spare > 0) this.#started().keepSpares(this.#spare);
  }

  /**
   * Starts a command; resolves once its program runs. Throws COMMAND_NOT_FOUND, COMMAND_NOT_EXECUTABLE,
   * INVALID_CAPABILITY, and INVALID_COMMAND when it cannot be run as asked for another reason (no such folder or
   * user; the message says which), LAUNCH when the sandbox cannot be entered (its namespace or a file is gone),
   * ABORTED. Nothing is left behind then.
   */
  run(init: CommandInit): Promise<SandboxProcess> {
    return this.#start(init, undefined, (context) => orderOf(init, context));
  }

  /**
   * Starts a command beside one that {@link run} started, of this program or of another: in all of its namespaces,
   * with its capabilities. It ends with the other. Throws as {@link run}, and COMMAND_ENDED.
   */
  async exec(beside: ProcessIdentity, init: ExecInit): Promise<SandboxProcess> {
    this.#started();
    const pidfd = openProcess(beside);
    if (pidfd === undefined)
      throw new WeftError("COMMAND_ENDED", `the command with pid ${beside.pid} has ended`);
    try {
      const base = boundingSet(beside.pid);
      return await this.#start(init, pidfd, (context) => joinOrderOf(init, base, context));
    } finally {
      sys.close(pidfd);
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

  async #start(
    init: CommandInit | ExecInit,
    join: number | undefined,
    order: (context: OrderContext) => InitOrder,
  ): Promise<SandboxProcess> {
    const link = this.#started();
    refuseAborted(init.signal);
    const streamsInit = init.terminal === undefined ? (init.stdio ?? {}) : {};
    const inherits = streamsInit.stdin === "inherit";
    const foreground = inherits ? Foreground.ofStdin() : undefined;
    // Before anything is opened, for it refuses what cannot be.
    const plain = order({ foreground: foreground !== undefined, ownStreams: [] });
    const stdio = openStdio(streamsInit);
    const id = this.#nextId++;
    const abort = () => link.signal(id, os.constants.signals.SIGKILL);
    init.signal?.addEventListener("abort", abort);
    let terminal: Terminal | undefined;
    try {
      const request: RunRequest = {
        kind: "run",
        id,
        order: { ...plain, ownStreams: stdio.own },
        stdio: stdio.child,
        ownSession: !inherits,
        join,
      };
      const started = await link.run(request, async (identity) => {
        if (init.terminal !== undefined) terminal = Terminal.of(identity);
        await init.beforeStart?.(identity);
      });
      if (init.signal?.aborted) await ended(started.exited);
      refuseAborted(init.signal);
      const exited = foreground?.lentUntil(started.exited) ?? started.exited;
      return this.#processOf(link, id, { ...started, exited }, stdio, terminal);
    } catch (error) {
      foreground?.comeBack();
      stdio.destroyStreams();
      terminal?.close();
      refuseAborted(init.signal);
      throw error;
    } finally {
      init.signal?.removeEventListener("abort", abort);
      stdio.releaseChild();
    }
  }

  #processOf(
    link: LauncherLink,
    id: number,
    started: StartedCommand,
    stdio: OpenStdio,
    terminal: Terminal | undefined,
  ): SandboxProcess {
    return new SandboxProcess(started, stdio.streams, terminal, {
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

/** What a process, and all that it becomes, may do: its bounding set. Throws COMMAND_ENDED. */
function boundingSet(pid: number): bigint {
  try {
    const hex = /^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    if (hex !== undefined) return BigInt(`0x${hex}`);
  } catch {
    // reaped meanwhile
  }
  throw new WeftError("COMMAND_ENDED", `the command with pid ${pid} has ended`);
}

/** Waits for the end of a command that was killed; how it ended is nobody's interest. */
async function ended(exited: Promise<ExitStatus>): Promise<void> {
  await exited.catch(() => {});
}
