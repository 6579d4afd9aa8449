import { existsSync, readdirSync } from "node:fs";
import { WeftError } from "../core/index.ts";
import { isKernelError } from "../kernel/kernel-error.ts";
import * as sys from "../kernel/syscalls.ts";
import type { InitOrder } from "./init-protocol.ts";

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

/** Gives up root for the order's user, if it names one. Throws INVALID_COMMAND. */
export function becomeUser(user: InitOrder["user"]): void {
  if (user === undefined) return;
  try {
    process.setgroups?.([]);
    process.setgid?.(user.gid);
    process.setuid?.(user.uid);
  } catch (error) {
    throw refused(`user ${user.uid}:${user.gid}`, error);
  }
}

/** Goes to the folder in which the command starts. Throws INVALID_COMMAND. */
export function enterFolder(cwd: string): void {
  try {
    process.chdir(cwd);
  } catch (error) {
    throw refused(`working directory ${JSON.stringify(cwd)}`, error);
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
 * is no program. Throws INVALID_COMMAND.
 */
export function execCommand(order: Pick<InitOrder, "command" | "environment" | "searchPath">): never {
  const [program = ""] = order.command;
  const paths = candidates(program, order.searchPath);
  let denied: unknown;
  for (const path of paths) {
    try {
      sys.execve(path, order.command, order.environment);
    } catch (error) {
      if (isKernelError(error, "EACCES")) denied ??= error;
      else if (!isKernelError(error, "ENOENT", "ENOTDIR"))
        throw refused(`exec ${JSON.stringify(path)}`, error);
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
  if (denied !== undefined) return refused(name, denied);
  const broken = paths.find((path) => existsSync(path));
  if (broken !== undefined) {
    return new WeftError("INVALID_COMMAND", `${name}: the interpreter that ${broken} names is not there`);
  }
  const why = program.includes("/") ? "no such file or directory" : "executable file not found in $PATH";
  return new WeftError("INVALID_COMMAND", `${name}: ${why}`, { details: { errno: "ENOENT" } });
}

const words: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  ENOTDIR: "not a directory",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  ENOEXEC: "exec format error",
  E2BIG: "argument list too long",
};

/** INVALID_COMMAND for `what`, with the reason in words, from Node's error or the kernel layer's. */
function refused(what: string, error: unknown): WeftError {
  const errno = errnoOf(error);
  return new WeftError("INVALID_COMMAND", `${what}: ${words[errno] ?? errno}`, { details: { errno } });
}

function errnoOf(error: unknown): string {
  if (isKernelError(error)) return error.errnoName;
  const named = error instanceof Error && "code" in error && typeof error.code === "string";
  return named ? String(error.code) : String(error);
}
