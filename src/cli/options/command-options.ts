import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import type { SandboxCreateInput } from "../../api/index.ts";
import { messageOf } from "../../core/errors.ts";
import { UsageError } from "../failures.ts";
import type { Surroundings } from "../surroundings.ts";
import { collect, collectPairs, splitAtEquals } from "./key-values.ts";
import { byteSize, count } from "./numbers.ts";

/** The options that say what runs in a sandbox, as commander gives them. */
export interface CommandOptions {
  readonly interactive?: boolean;
  readonly tty?: boolean;
  readonly rm?: boolean;
  readonly rootfs?: string;
  readonly readOnly?: boolean;
  readonly workdir?: string;
  readonly env?: readonly string[];
  readonly envFile?: readonly string[];
  readonly user?: string;
  readonly capAdd?: string[];
  readonly capDrop?: string[];
  readonly privileged?: boolean;
  readonly restart?: RestartPolicy;
  readonly stopSignal?: string;
  readonly stopTimeout?: number;
  readonly logOpt?: Readonly<Record<string, string>>;
}

type RestartPolicy = NonNullable<SandboxCreateInput["RestartPolicy"]>;

/** Gives `command` the options that say what runs in a sandbox. */
export function addCommandOptions(command: Command): Command {
  return command
    .optionsGroup("What runs in it, and how:")
    .option("-i, --interactive", "let it read this program's standard input")
    .option("-t, --tty", "give it a terminal")
    .option("--rm", "remove the sandbox when its command has ended")
    .option("--rootfs <dir>", "the folder that is its /; this host's own without")
    .option("--read-only", "let it write nothing below /")
    .option("-w, --workdir <dir>", "the folder it starts in; this one without, or / of --rootfs")
    .option(
      "-e, --env <key=value>",
      "a variable of its environment; KEY alone passes on this program's",
      collect,
    )
    .option("--env-file <file>", "a file of such variables, one a line", collect)
    .option("-u, --user <user>", "name or uid, and :group or :gid; root without")
    .option("--cap-add <capability>", "something more that it may do, as NET_ADMIN", collect)
    .option("--cap-drop <capability>", "something that it may not do", collect)
    .option("--privileged", "let it do whatever weft may")
    .option("--restart <policy>", "no, on-failure[:times], always, unless-stopped", restartPolicy)
    .option("--stop-signal <signal>", "what `weft stop` sends it first; SIGTERM without")
    .option(
      "--stop-timeout <seconds>",
      "how long `weft stop` waits before it sends SIGKILL; 10 without",
      count,
    )
    .option("--log-opt <key=value>", "max-size=10m, max-file=3: how much of its output is kept", collectPairs)
    .optionsGroup("Options:");
}

function restartPolicy(text: string): RestartPolicy {
  const match = /^(no|always|unless-stopped|on-failure)(?::(\d+))?$/.exec(text);
  const name = match?.[1];
  const times = match?.[2];
  if (match === null || (times !== undefined && name !== "on-failure")) {
    throw new InvalidArgumentError("It should be no, on-failure[:times], always or unless-stopped.");
  }
  // The expression allows no other names than the type has.
  return {
    Name: name as RestartPolicy["Name"],
    ...(times !== undefined && { MaximumRetryCount: count(times) }),
  };
}

/** The part of a request that these options make. Throws UsageError. */
export function commandRequest(
  args: readonly string[],
  options: CommandOptions,
  surroundings: Surroundings,
): SandboxCreateInput {
  const rootfs = options.rootfs === undefined ? undefined : resolve(surroundings.cwd(), options.rootfs);
  const workdir = options.workdir ?? (rootfs === undefined ? surroundings.cwd() : undefined);
  const env = environmentOf(options, surroundings);
  return {
    Command: {
      Args: [...args],
      ...(env.length > 0 && { Env: env }),
      ...(workdir !== undefined && { WorkingDir: workdir }),
      ...(options.user !== undefined && { User: options.user }),
      ...(options.tty === true && { Tty: true }),
      ...(options.interactive === true && { OpenStdin: true }),
      ...(rootfs !== undefined && { Rootfs: rootfs }),
      ...(options.readOnly === true && { ReadonlyRootfs: true }),
      ...(options.capAdd !== undefined && { CapAdd: options.capAdd }),
      ...(options.capDrop !== undefined && { CapDrop: options.capDrop }),
      ...(options.privileged === true && { Privileged: true }),
    },
    ...(options.rm === true && { AutoRemove: true }),
    ...(options.restart !== undefined && { RestartPolicy: options.restart }),
    ...(options.stopSignal !== undefined && { StopSignal: options.stopSignal }),
    ...(options.stopTimeout !== undefined && { StopTimeout: options.stopTimeout }),
    ...(options.logOpt !== undefined && { LogConfig: logConfig(options.logOpt) }),
  };
}

/** The variables of `--env-file` and `-e`, in that order. Throws UsageError. */
export function environmentOf(
  options: Pick<CommandOptions, "env" | "envFile">,
  surroundings: Surroundings,
): string[] {
  const files = (options.envFile ?? []).flatMap((file) => linesOfFile(resolve(surroundings.cwd(), file)));
  return [...files, ...(options.env ?? [])].flatMap((text) => {
    const [name, value] = splitAtEquals(text);
    if (name === "") throw new UsageError(`invalid environment variable: ${text}`);
    if (value !== undefined) return [text];
    const own = surroundings.env[name];
    return own === undefined ? [] : [`${name}=${own}`];
  });
}

function linesOfFile(file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(`--env-file: ${messageOf(error)}`);
  }
  return text
    .split(/\r?\n/)
    .map((line) => line.trimStart())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

function logConfig(words: Readonly<Record<string, string>>): NonNullable<SandboxCreateInput["LogConfig"]> {
  const config: { MaxSize?: number; MaxFile?: number } = {};
  for (const [key, value] of Object.entries(words)) {
    if (key === "max-size") config.MaxSize = sizeOf(value);
    else if (key === "max-file") config.MaxFile = fileCount(value);
    else throw new UsageError(`unknown log opt ${JSON.stringify(key)}: there are max-size and max-file`);
  }
  return config;
}

function sizeOf(text: string): number {
  const bytes = byteSize(text);
  if (bytes === undefined)
    throw new UsageError(`invalid max-size ${JSON.stringify(text)}: it should be a size, as 10m`);
  return bytes;
}

function fileCount(text: string): number {
  if (!/^\d+$/.test(text))
    throw new UsageError(`invalid max-file ${JSON.stringify(text)}: it should be a number`);
  return Number(text);
}
