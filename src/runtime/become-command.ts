import { existsSync, readdirSync } from "node:fs";
import { type ErrorCode, WeftError } from "../core/index.ts";
import { isKernelError } from "../kernel/kernel-error.ts";
import * as sys from "../kernel/syscalls.ts";
import { type CapabilityOrder, namesOf } from "./capabilities.ts";
import { usualPath } from "./command-environment.ts";
import type { FoundUser } from "./sandbox-user.ts";

/** Signals are numbered 1 to 64 (signal(7)). */
const lastSignal = 64;

/**
 * Leaves the command the three standard streams and no other descriptor. Node marks even those three
 * close-on-exec at its start, and a descriptor that the caller's own parent left open would leak.
 * Needs /proc, and must come before the user changes, who may not list it. Throws KernelError.
 */
export function keepOnlyStdio(): void {
  for (const name of readdirSync("/proc/self/fd")) {
    const fd = Number(name);
    try {
      sys.setCloseOnExec(fd, fd > 2);
    } catch (error) {
      if (!isKernelError(error, "EBADF")) throw error; // the descriptor by which the folder was read
    }
  }
}

/**
 * Limits this process, and whatever it becomes, to the capabilities of `order`, and lets it go on as `user`. Root
 * has them all at once; another user has none, and set-uid programs that it runs have them. Inheritable and
 * ambient ones stay empty, as in Docker's containers. Throws INVALID_COMMAND, INVALID_CAPABILITY, KernelError.
 */
export function becomeUser({ uid, gid, groups }: FoundUser, order: CapabilityOrder): void {
  const set = limitCapabilities(order);
  sys.clearAmbient();
  try {
    process.setgroups?.([...groups]);
    process.setgid?.(gid);
    process.setuid?.(uid);
  } catch (error) {
    throw refused("INVALID_COMMAND", `user ${uid}:${gid}`, error);
  }
  sys.setCapabilities(uid === 0 ? set : 0n);
}

/** Takes everything else out of the bounding set, and gives what is left. */
function limitCapabilities({ required, wanted }: CapabilityOrder): bigint {
  let available = 0n;
  const surplus: number[] = [];
  for (let number = 0; number < 64; number++) {
    if (sys.boundingHas(number) !== true) continue;
    const bit = 1n << BigInt(number);
    available |= bit;
    if ((wanted & bit) === 0n) surplus.push(number);
  }
  const [lacking] = namesOf(required & ~available);
  if (lacking !== undefined) {
    throw new WeftError(
      "INVALID_CAPABILITY",
      `invalid CapAdd: capability not supported by your kernel or not available in the current environment: ${JSON.stringify(lacking)}`,
    );
  }
  for (const number of surplus) sys.dropFromBounding(number);
  return wanted & available;
}

/** Goes to the folder in which the command starts. Throws INVALID_COMMAND. */
export function enterFolder(cwd: string): void {
  try {
    process.chdir(cwd);
  } catch (error) {
    throw refused("INVALID_COMMAND", `working directory ${JSON.stringify(cwd)}`, error);
  }
}

/**
 * Gives every signal the action and the mask that a fresh program expects: Node ignores SIGPIPE, and
 * what is ignored stays so across exec.
 */
export function restoreSignals(): void {
  for (let number = 1; number <= lastSignal; number++) sys.defaultSignal(number);
  sys.unblockSignals();
}

/**
 * Replaces this process by the command, looked for as execvp(3) does, but for no shell taking over what
 * is no program. Throws COMMAND_NOT_FOUND, COMMAND_NOT_EXECUTABLE.
 */
export function execCommand(command: readonly string[], environment: ReadonlyMap<string, string>): never {
  const [program = ""] = command;
  const paths = candidates(program, environment.get("PATH") ?? usualPath);
  const variables = [...environment].map(([name, value]) => `${name}=${value}`);
  let denied: unknown;
  for (const path of paths) {
    try {
      sys.execve(path, command, variables);
    } catch (error) {
      if (isKernelError(error, "EACCES")) denied ??= error;
      else if (!isKernelError(error, "ENOENT", "ENOTDIR"))
        throw refused("COMMAND_NOT_EXECUTABLE", `exec ${JSON.stringify(path)}`, error);
    }
  }
  throw notFound(program, paths, denied);
}

function candidates(program: string, searchPath: string): string[] {
  if (program.includes("/")) return [program];
  return searchPath.split(":").map((folder) => `${folder === "" ? "." : folder}/${program}`);
}

function notFound(program: string, paths: readonly string[], denied: unknown): WeftError {
  const name = `exec ${JSON.stringify(program)}`;
  if (denied !== undefined) return refused("COMMAND_NOT_EXECUTABLE", name, denied);
  const broken = paths.find((path) => existsSync(path));
  if (broken !== undefined) {
    return new WeftError("COMMAND_NOT_FOUND", `${name}: the interpreter that ${broken} names is not there`);
  }
  const why = program.includes("/") ? "no such file or directory" : "executable file not found in $PATH";
  return new WeftError("COMMAND_NOT_FOUND", `${name}: ${why}`, { details: { errno: "ENOENT" } });
}

const words: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  ENOTDIR: "not a directory",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  ENOEXEC: "exec format error",
  E2BIG: "argument list too long",
};

/** A refusal of `what`, with the reason in words, from Node's error or the kernel layer's. */
function refused(code: ErrorCode, what: string, error: unknown): WeftError {
  const errno = errnoOf(error);
  return new WeftError(code, `${what}: ${words[errno] ?? errno}`, { details: { errno } });
}

function errnoOf(error: unknown): string {
  if (isKernelError(error)) return error.errnoName;
  const named = error instanceof Error && "code" in error && typeof error.code === "string";
  return named ? String(error.code) : String(error);
}
