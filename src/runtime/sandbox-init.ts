/**
 * The first process of a command's PID namespace, and nobody's to import: the launcher thread runs this
 * file. It is here because only a process inside the namespace can mount its /proc, and because Node can
 * run nothing between fork and exec. It makes the other namespaces too, so that a start which fails at
 * any step leaves nothing: they are all gone with this process. At the end it becomes the command.
 */
import { readFileSync, writeSync } from "node:fs";
import { isWeftError, messageOf, WeftError } from "../core/index.ts";
import * as sys from "../kernel/syscalls.ts";
import { becomeUser, enterFolder, execCommand, keepOnlyStdio, restoreSignals } from "./become-command.ts";
import { controlFd, encodeAnswer, type InitOrder, type StartFailure } from "./init-protocol.ts";
import { mountSandbox } from "./sandbox-mounts.ts";

function becomeSandboxed(): never {
  const order = JSON.parse(readFileSync(controlFd, "utf8")) as InitOrder; // the launcher's own, of this version
  enterNetns(order.netnsPath);
  sys.unshare(sys.CLONE_NEWUTS);
  if (order.hostname !== undefined) sys.sethostname(order.hostname);
  if (order.domainName !== undefined) sys.setdomainname(order.domainName);
  mountSandbox(order.files);
  keepOnlyStdio();
  becomeUser(order.user);
  enterFolder(order.cwd);
  writeSync(controlFd, encodeAnswer({ kind: "ready" }));
  restoreSignals();
  execCommand(order);
}

function enterNetns(path: string): void {
  try {
    const fd = sys.open(path, sys.O_RDONLY);
    sys.setns(fd, sys.CLONE_NEWNET, path);
    sys.close(fd);
  } catch (error) {
    throw new WeftError("LAUNCH", `cannot enter network namespace ${path}: ${messageOf(error)}`);
  }
}

function failureOf(error: unknown): StartFailure {
  if (isWeftError(error, "INVALID_COMMAND")) {
    return { code: "INVALID_COMMAND", message: error.message, details: error.details };
  }
  const details = isWeftError(error) ? error.details : {};
  return { code: "LAUNCH", message: `cannot prepare the sandbox: ${messageOf(error)}`, details };
}

try {
  becomeSandboxed();
} catch (error) {
  writeSync(controlFd, encodeAnswer({ kind: "failed", failure: failureOf(error) }));
  process.exit(1);
}
