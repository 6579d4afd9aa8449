import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { CommandConfig } from "../../api/index.ts";
import type { Id } from "../../core/index.ts";
import {
  type CommandFollower,
  type CommandInit,
  type Launcher,
  type ProcessIdentity,
  parseSignal,
  type RunningCommand,
} from "../../runtime/index.ts";
import type { Adopted, CommandRunner, Place, Run } from "./command-runner.ts";
import { commandCapabilities, commandEnvironment } from "./command-words.ts";
import type { SandboxRecord } from "./sandbox-record.ts";

/** What commands are launched with. */
export interface LaunchedRunnerInit {
  readonly launcher: Launcher;
  readonly follower: CommandFollower;
  /** Where what belongs to one sandbox's command is. */
  readonly folderOf: (id: Id) => string;
}

/** The file that a command's output goes to, and the pipe that it reads from, in its folder. */
export const logFile = "log";
export const inputPipe = "stdin";

/** Runs commands in the background: they write to files, and outlive this process. */
export class LaunchedRunner implements CommandRunner {
  readonly #init: LaunchedRunnerInit;

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
    const folder = this.#init.folderOf(record.id);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const init = { ...commandInit(record, Command, place), ...streams(Command, folder), beforeStart };
    return runOf(await this.#init.launcher.run(init));
  }

  adopt(identity: ProcessIdentity): Adopted {
    const adoption = this.#init.follower.adopt(identity);
    return adoption.state === "running" ? { state: "running", run: runOf(adoption.command) } : adoption;
  }

  forget({ id }: Pick<SandboxRecord, "id">): void {
    rmSync(this.#init.folderOf(id), { recursive: true, force: true });
  }
}

/** What the launcher is told of a sandbox's command, whoever launches it; without its streams. */
export function commandInit(
  { config, id }: Pick<SandboxRecord, "config" | "id">,
  command: CommandConfig,
  place: Place,
): CommandInit {
  const { Hostname, Domainname, NetworkMode } = config;
  const hostname = Hostname === "" && NetworkMode === "host" ? undefined : Hostname || id.slice(0, 12);
  return {
    netnsPath: place.netnsPath,
    files: place.files,
    command: command.Args,
    environment: commandEnvironment(command.Env),
    capabilities: commandCapabilities(command),
    privileged: command.Privileged,
    readOnly: command.ReadonlyRootfs,
    ...(hostname === undefined ? {} : { hostname }),
    ...(Domainname === "" ? {} : { domainName: Domainname }),
    ...(command.User === "" ? {} : { user: command.User }),
    ...(command.Rootfs === "" ? {} : { rootfs: command.Rootfs }),
    cwd: command.WorkingDir === "" ? "/" : command.WorkingDir,
  };
}

function streams({ Tty, OpenStdin }: CommandConfig, folder: string): Pick<CommandInit, "stdio" | "terminal"> {
  if (Tty) return { terminal: { kept: true } };
  const output = { file: join(folder, logFile) };
  const stdin = OpenStdin ? { fifo: join(folder, inputPipe) } : "ignore";
  return { stdio: { stdin, stdout: output, stderr: output } };
}

function runOf(command: RunningCommand): Run {
  const { pid, startTicks, bootId, exited } = command;
  return {
    identity: { pid, startTicks, bootId },
    exited,
    kill: (signal) => command.kill(parseSignal(signal)),
    end: ({ graceMs, signal }) => command.end({ graceMs, signal: parseSignal(signal) }),
  };
}
