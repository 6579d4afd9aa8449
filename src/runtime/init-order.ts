import { resolve } from "node:path";
import { messageOf, WeftError } from "../core/index.ts";
import type { CommandInit, CommandUser } from "./command.ts";
import type { InitOrder } from "./init-protocol.ts";

/** Where programs are looked for when the environment has no PATH. */
const usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Checks what a caller wants run and fills in what it left out. Throws INVALID_COMMAND. */
export function orderOf(init: CommandInit): InitOrder {
  const environment = environmentOf(init.environment ?? process.env);
  const order: InitOrder = {
    netnsPath: resolve(init.netnsPath),
    hostname: init.hostname,
    domainName: init.domainName,
    files: init.files.map(({ source, target }) => ({ source: resolve(source), target: absolute(target) })),
    command: checkCommand(init.command),
    environment: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    searchPath: environment.PATH ?? usualPath,
    cwd: init.cwd?.startsWith("/") ? init.cwd : resolve(ownFolder(), init.cwd ?? ""),
    user: init.user === undefined ? undefined : checkUser(init.user),
  };
  refuseNul(order);
  return order;
}

function ownFolder(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw invalid(`the caller's own working directory is gone: ${messageOf(error)}`);
  }
}

function checkCommand(command: readonly string[]): readonly string[] {
  const [program] = command;
  if (program === undefined || program === "") {
    throw invalid("no command: it should be a program and its arguments");
  }
  return command;
}

function environmentOf(variables: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) continue;
    if (name === "" || name.includes("=")) {
      throw invalid(`invalid environment variable name ${JSON.stringify(name)}`);
    }
    environment[name] = value;
  }
  return environment;
}

function absolute(target: string): string {
  if (target.startsWith("/")) return resolve(target);
  throw invalid(`invalid file target ${JSON.stringify(target)}: it should be an absolute path`);
}

/** The highest number is the kernel's "leave as it is". */
const noId = 0xffff_ffff;

function checkUser(user: CommandUser): CommandUser {
  for (const id of [user.uid, user.gid]) {
    if (!Number.isInteger(id) || id < 0 || id >= noId) throw invalid(`invalid user or group number ${id}`);
  }
  return user;
}

/** Texts end at a NUL in system calls: what lies behind it would be dropped unseen. */
function refuseNul(order: InitOrder): void {
  const texts = [
    order.netnsPath,
    order.hostname ?? "",
    order.domainName ?? "",
    order.cwd,
    ...order.command,
    ...order.environment,
    ...order.files.flatMap(({ source, target }) => [source, target]),
  ];
  const bad = texts.find((text) => text.includes("\0"));
  if (bad !== undefined) throw invalid(`a NUL character in ${JSON.stringify(bad)}`);
}

function invalid(message: string): WeftError {
  return new WeftError("INVALID_COMMAND", message);
}
