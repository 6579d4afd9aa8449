import type { WeftClient } from "../../api/client/index.ts";
import type { Entry, ProcessIdentity, SandboxCreateInput } from "../../api/index.ts";
import { isWeftError, startFailureNumber } from "../../core/errors.ts";
import type { Context } from "../context.ts";
import { ExitError, lineOf } from "../failures.ts";
import { splitAtEquals } from "../options/key-values.ts";
import { signalStatus } from "../signal-status.ts";
import { follow } from "./follow.ts";
import { apiIdentity } from "./identities.ts";
import { needRoot } from "./need-root.ts";
import { type RunStart, type RuntimeDoor, runtimeDoor, type StartedCommand } from "./runtime-door.ts";
import { SignalRelay } from "./signal-relay.ts";
import { type Streams, streamsFor } from "./streams.ts";

/**
 * `weft run` without -d: this program makes the sandbox, starts the command with its own streams, and ends as it
 * ended. The daemon knows of the command before its first instruction, so it goes on to look after it when this
 * program is killed. Throws ExitError with every status but 0.
 */
export async function runInForeground(context: Context, request: SandboxCreateInput): Promise<void> {
  const instead = "run it as root, or with -d, in the background, where the daemon starts the command";
  needRoot(context.surroundings, "weft run without -d enters the sandbox's namespaces", instead);
  const wishes = { interactive: request.Command?.OpenStdin === true, tty: request.Command?.Tty === true };
  const streams = streamsFor(wishes, context);
  const runtime = await (context.surroundings.runtime ?? runtimeDoor)();
  const client = await context.client();
  const relay = new SignalRelay();
  try {
    const { Id, Warnings } = await client.createSandbox(request);
    for (const warning of Warnings) await context.complain(`warning: ${warning}`);
    const removed = request.AutoRemove === true;
    await new ForegroundRun(context, client, runtime, relay, { id: Id, removed, wishes, streams }).run();
  } finally {
    relay.close();
  }
}

interface RunParts {
  readonly id: string;
  readonly removed: boolean;
  readonly wishes: { readonly interactive: boolean; readonly tty: boolean };
  readonly streams: Streams;
}

class ForegroundRun {
  readonly #context: Context;
  readonly #client: WeftClient;
  readonly #runtime: RuntimeDoor;
  readonly #relay: SignalRelay;
  readonly #parts: RunParts;
  /** The command, once the daemon knows of it. */
  #claimed: ProcessIdentity | undefined;
  /** Its first instruction was let run. */
  #begun = false;

  constructor(
    context: Context,
    client: WeftClient,
    runtime: RuntimeDoor,
    relay: SignalRelay,
    parts: RunParts,
  ) {
    this.#context = context;
    this.#client = client;
    this.#runtime = runtime;
    this.#relay = relay;
    this.#parts = parts;
  }

  async run(): Promise<void> {
    const launcher = new this.#runtime.Launcher();
    let status: number;
    try {
      const command = await this.#begin(launcher);
      status = await follow(command, this.#relay, this.#parts.wishes, this.#context, this.#runtime);
    } catch (error) {
      throw await this.#failed(error);
    } finally {
      await launcher.close();
    }
    await this.#tellEnd(status);
    if (status !== 0) throw new ExitError(status);
  }

  async #begin(launcher: InstanceType<RuntimeDoor["Launcher"]>): Promise<StartedCommand> {
    const [entry] = await Promise.all([this.#client.enterSandbox(this.#parts.id), launcher.start()]);
    const command = await launcher.run(this.#startOf(entry));
    this.#begun = true;
    return command;
  }

  #startOf(entry: Entry): RunStart {
    const { streams } = this.#parts;
    const claim = async (process: ProcessIdentity) => {
      await this.#client.claimProcess(this.#parts.id, process);
      this.#claimed = process;
      this.#relay.hold();
    };
    return {
      ...runStartOf(entry, streams),
      beforeStart: (identity) => claim(apiIdentity(identity)),
      signal: this.#relay.signal,
    };
  }

  /** What a failure is told as. What a start that failed left with the daemon is cleared up first. */
  async #failed(error: unknown): Promise<ExitError> {
    const { gaveUp } = this.#relay;
    const status = gaveUp === undefined ? startFailureNumber(error) : signalStatus(gaveUp);
    if (this.#begun) await this.#tellEnd(status);
    // As with -d: what could not be begun has left nothing, and is not started again.
    else await this.#attempt(() => this.#client.removeSandbox(this.#parts.id, { force: true }));
    return new ExitError(status, gaveUp === undefined ? lineOf(error) : "", { cause: error });
  }

  async #tellEnd(status: number): Promise<void> {
    const process = this.#claimed;
    if (process !== undefined)
      await this.#attempt(() => this.#client.tellExit(this.#parts.id, { process, status }));
  }

  /**
   * The command has ended, whatever comes of this. A daemon that is away finds out when it is back; one that has
   * noticed by itself may have removed the sandbox already, as --rm asks.
   */
  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.#parts.removed && isWeftError(error, "SANDBOX_NOT_FOUND")) return;
      await this.#context.complain(error);
    }
  }
}

/** How the command of a sandbox is started in what the daemon has opened for it. */
export function runStartOf(entry: Entry, streams: Streams): Omit<RunStart, "signal"> {
  const command = entry.Command;
  return {
    netnsPath: entry.NetnsPath,
    ...(entry.Hostname !== "" && { hostname: entry.Hostname }),
    ...(entry.Domainname !== undefined && { domainName: entry.Domainname }),
    files: entry.Files.map(({ Source, Target }) => ({ source: Source, target: Target })),
    command: command?.Args ?? [],
    ...streams,
    environment: { ...streams.environment, ...variablesOf(command?.Env ?? []) },
    ...(command !== undefined && {
      ...(command.User !== "" && { user: command.User }),
      ...(command.WorkingDir !== "" && { cwd: command.WorkingDir }),
      ...(command.Rootfs !== "" && { rootfs: command.Rootfs }),
      readOnly: command.ReadonlyRootfs,
      privileged: command.Privileged,
      capabilities: { add: command.CapAdd, drop: command.CapDrop },
    }),
  };
}

/** `NAME=value` texts as an environment; a later one of a name stands. */
export function variablesOf(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const [name, value = ""] = splitAtEquals(text);
      return [name, value];
    }),
  );
}
