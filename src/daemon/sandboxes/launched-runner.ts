import { closeSync, existsSync, mkdirSync, openSync, readdirSync, rmSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import type { CommandConfig, LogQuery } from "../../api/index.ts";
import { type Id, isId, shortId, WeftError } from "../../core/index.ts";
import {
  type CommandFollower,
  type CommandInit,
  checkCommandInit,
  type Launcher,
  type LogKeeper,
  type ProcessIdentity,
  parseSignal,
  type RunningCommand,
  readLog,
  Terminal,
} from "../../runtime/index.ts";
import type { Adopted, CommandRunner, Place, Run } from "./command-runner.ts";
import { commandEnvironment } from "./command-words.ts";
import type { SandboxRecord } from "./sandbox-record.ts";
import { TerminalRecorder } from "./terminal-recorder.ts";

/** What commands are launched with. */
export interface LaunchedRunnerInit {
  readonly launcher: Launcher;
  readonly follower: CommandFollower;
  readonly logKeeper: LogKeeper;
  /** Where what belongs to sandboxes' commands is, in a folder for each, named for its id. */
  readonly folder: string;
  /** Hears of what went wrong where nobody waited for it. */
  readonly onError: (what: string, error: unknown) => void;
}

/** Runs commands in the background: they write to files, and outlive this process. */
export class LaunchedRunner implements CommandRunner {
  readonly #init: LaunchedRunnerInit;
  readonly #recorders = new Map<Id, TerminalRecorder>();

  constructor(init: LaunchedRunnerInit) {
    this.#init = init;
  }

  async start(
    record: SandboxRecord,
    place: Place,
    beforeStart: (identity: ProcessIdentity) => Promise<void>,
  ): Promise<Run> {
    const { Command } = record.config;
    if (Command === undefined) throw new TypeError("a sandbox without a command cannot be started");
    mkdirSync(this.#folderOf(record.id), { recursive: true, mode: 0o700 });
    closeSync(openSync(this.logPath(record.id), "a", 0o600));
    const init = {
      ...commandInit(record, Command, place),
      ...this.#streams(record.id, Command),
      beforeStart,
    };
    const command = await this.#init.launcher.run(init);
    return this.#followed(record, command, () => command.terminal);
  }

  adopt(identity: ProcessIdentity, record: SandboxRecord, client: boolean): Adopted {
    const adoption = this.#init.follower.adopt(identity);
    if (adoption.state === "ended") return adoption;
    return {
      state: "running",
      run: client
        ? runOf(adoption.command)
        : this.#followed(record, adoption.command, () => Terminal.of(identity)),
    };
  }

  forget({ id }: Pick<SandboxRecord, "id">): void {
    rmSync(this.#folderOf(id), { recursive: true, force: true });
  }

  forgetOthers(isThere: (id: Id) => boolean): void {
    const { folder } = this.#init;
    for (const name of existsSync(folder) ? readdirSync(folder) : [])
      if (isId(name) && !isThere(name)) this.forget({ id: name });
  }

  /** Where the output of a sandbox's commands is. */
  logPath(id: Id): string {
    return join(this.#folderOf(id), "log");
  }

  /** The pipe that a sandbox's command reads from, if it was started with one. */
  inputPath({ id, config, process }: SandboxRecord): string | undefined {
    const { OpenStdin = false, Tty = false } = config.Command ?? {};
    return OpenStdin && !Tty && process?.client === false ? join(this.#folderOf(id), "stdin") : undefined;
  }

  /** What a sandbox's commands have written. Throws NO_OUTPUT when none of them wrote to a log. */
  async *logs(
    { id, name }: SandboxRecord,
    { tail, follow, signal }: LogQuery,
    ended: Promise<unknown>,
  ): AsyncIterable<Uint8Array> {
    const options = { follow, signal, ended, ...(tail === undefined ? {} : { tail }) };
    try {
      yield* readLog(this.logPath(id), options);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
      throw new WeftError(
        "NO_OUTPUT",
        `sandbox ${name} has no output here: it has not run, or it wrote to the terminal of who started it`,
      );
    }
  }

  /** Follows nothing any more; commands run on, and write on. */
  async close(): Promise<void> {
    for (const recorder of this.#recorders.values()) recorder.close();
    this.#recorders.clear();
    await this.#init.logKeeper.close();
  }

  #folderOf(id: Id): string {
    return join(this.#init.folder, id);
  }

  /**
   * Bounds the log of a command, and records its terminal, until it has ended. `terminalOf` gives the terminal; the
   * one that the launcher opened when this program started the command, which may have ended since.
   */
  #followed(record: SandboxRecord, command: RunningCommand, terminalOf: () => Terminal | undefined): Run {
    const { id, config } = record;
    const path = this.logPath(id);
    const { MaxSize = 0, MaxFile = 1 } = config.LogConfig;
    try {
      this.#init.logKeeper.keep(path, MaxSize * MaxFile);
      const terminal = config.Command?.Tty === true ? terminalOf() : undefined;
      if (terminal !== undefined)
        this.#recorders.set(
          id,
          new TerminalRecorder(terminal, path, (error) => this.#init.onError(path, error)),
        );
    } catch (error) {
      this.#init.onError(path, error); // it runs all the same
    }
    const exited = command.exited.finally(async () => {
      await this.#recorders.get(id)?.end();
      this.#recorders.delete(id);
      this.#init.logKeeper.release(path);
    });
    return { ...runOf(command), exited };
  }

  #streams(id: Id, { Tty, OpenStdin }: CommandConfig): Pick<CommandInit, "stdio" | "terminal"> {
    if (Tty) return { terminal: { kept: true } };
    const output = { file: this.logPath(id) };
    const stdin = OpenStdin ? { fifo: join(this.#folderOf(id), "stdin") } : "ignore";
    return { stdio: { stdin, stdout: output, stderr: output } };
  }
}

/** The host name that a sandbox's commands see; undefined for the host's own, as with the host's network. */
export function hostnameOf({ config, id }: Pick<SandboxRecord, "config" | "id">): string | undefined {
  if (config.Hostname !== "") return config.Hostname;
  return config.NetworkMode === "host" ? undefined : shortId(id);
}

/**
 * Refuses a sandbox whose command could not be started or stopped as asked, as far as that can be said without looking
 * at the host. Throws INVALID_COMMAND, INVALID_CAPABILITY, INVALID_OPTION, INVALID_SIGNAL.
 */
export function checkCommand(record: Pick<SandboxRecord, "config" | "id">): void {
  const { Command, StopSignal } = record.config;
  parseSignal(StopSignal);
  if (Command === undefined) return;
  for (const [what, path] of [
    ["working directory", Command.WorkingDir],
    ["rootfs", Command.Rootfs],
  ] as const) {
    if (path !== "" && !isAbsolute(path)) {
      throw new WeftError(
        "INVALID_COMMAND",
        `the ${what} ${JSON.stringify(path)} is invalid, it needs to be an absolute path`,
      );
    }
  }
  checkCommandInit(commandInit(record, Command, { netnsPath: "/", files: [] }));
}

/** What the launcher is told of a sandbox's command; without its streams. */
function commandInit(
  { config, id }: Pick<SandboxRecord, "config" | "id">,
  command: CommandConfig,
  place: Place,
): CommandInit {
  const { Domainname } = config;
  const hostname = hostnameOf({ config, id });
  return {
    netnsPath: place.netnsPath,
    files: place.files,
    command: command.Args,
    environment: commandEnvironment(command.Env),
    capabilities: { add: command.CapAdd, drop: command.CapDrop },
    privileged: command.Privileged,
    readOnly: command.ReadonlyRootfs,
    ...(hostname === undefined ? {} : { hostname }),
    ...(Domainname === "" ? {} : { domainName: Domainname }),
    ...(command.User === "" ? {} : { user: command.User }),
    ...(command.Rootfs === "" ? {} : { rootfs: command.Rootfs }),
    cwd: command.WorkingDir === "" ? "/" : command.WorkingDir,
  };
}

function runOf(command: RunningCommand): Run {
  const { pid, startTicks, bootId, exited } = command;
  return {
    identity: { pid, startTicks, bootId },
    exited,
    kill: (signal) => command.kill(parseSignal(signal)),
    end: ({ signal, ...options }) => command.end({ ...options, signal: parseSignal(signal) }),
  };
}
