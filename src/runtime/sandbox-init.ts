/**
 * The first process of a command's PID namespace, or another in it for exec, and nobody's to import: the launcher
 * thread runs this file. It is here because only a process inside the namespace can mount its /proc, and because
 * Node can run nothing between fork and exec. It makes the other namespaces too, so that a start which fails at
 * any step leaves nothing: they are all gone with this process. At the end it becomes the command.
 */
import { fchownSync, readSync, writeSync } from "node:fs";
import { isWeftError, messageOf, WeftError } from "../core/index.ts";
import * as sys from "../kernel/syscalls.ts";
import { becomeUser, enterFolder, execCommand, keepOnlyStdio, restoreSignals } from "./become-command.ts";
import { decodeCapabilities } from "./capabilities.ts";
import { commandEnvironment } from "./command-environment.ts";
import {
  controlFd,
  encodeAnswer,
  type InitAnswer,
  type InitOrder,
  joinFd,
  type NewPlace,
  type StartFailure,
  terminalFd,
} from "./init-protocol.ts";
import { comeToForeground, openTerminal } from "./init-terminal.ts";
import { mountSandbox } from "./sandbox-mounts.ts";
import { findUser, userFiles } from "./sandbox-user.ts";
import { denyTyping } from "./typing-filter.ts";

function becomeSandboxed(order: InitOrder): never {
  takeStreams(order.streams);
  if (order.place.kind === "new") makePlace(order.place);
  else joinPlace();
  process.umask(0o022);
  const user = findUser(order.user, userFiles());
  if (order.terminal !== undefined) openTerminal(order.terminal, user.uid);
  if (order.foreground) comeToForeground();
  keepOnlyStdio();
  if (order.terminal?.kept) sys.setCloseOnExec(terminalFd, false);
  if (order.typingDenied) denyTyping();
  if (user.uid !== 0) for (const stream of order.ownStreams) fchownSync(stream, user.uid, -1);
  becomeUser(user, decodeCapabilities(order.capabilities));
  enterFolder(order.cwd);
  const environment = commandEnvironment(order, user.home);
  if (order.held) awaitLeave();
  answer({ kind: "ready" });
  restoreSignals();
  execCommand(order.command, environment);
}

/** Takes what the launcher opened for this command, when this process was there before the command was asked for. */
function takeStreams(streams: InitOrder["streams"]): void {
  try {
    for (const [stream, fd] of streams?.entries() ?? []) {
      if (fd === "ignore") continue;
      const copy = sys.pidfdGetfd(joinFd, fd);
      sys.dup3(copy, stream, 0);
      sys.close(copy);
    }
  } catch (error) {
    const message = `cannot take the command's streams: ${messageOf(error)}`;
    throw new WeftError("LAUNCH", message, { details: { step: "streams" } });
  }
}

function makePlace(place: NewPlace): void {
  enterNetns(place.netnsPath);
  sys.unshare(sys.CLONE_NEWUTS);
  if (place.hostname !== undefined) sys.sethostname(place.hostname);
  if (place.domainName !== undefined) sys.setdomainname(place.domainName);
  mountSandbox(place);
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

/** Enters the namespaces of the command behind {@link joinFd}, but for its PID namespace, in which this process was born. */
function joinPlace(): void {
  // The command's processes see this one, and could come by the host's own Node through it once it may no more than
  // they: /proc/PID/exe leads out of every namespace.
  sys.hideProcess();
  sys.unshare(sys.CLONE_FS); // a process whose threads share their root may enter no mount namespace
  sys.setns(joinFd, sys.CLONE_NEWNS | sys.CLONE_NEWUTS | sys.CLONE_NEWNET, "the command's namespaces");
}

function answer(message: InitAnswer): void {
  writeSync(controlFd, encodeAnswer(message));
}

/** Says that all is prepared, and waits; a launcher that is gone meanwhile wants no command. */
function awaitLeave(): void {
  answer({ kind: "prepared" });
  if (readLine() === undefined) process.exit(1);
}

/** The launcher's next line; it sends none before it has the answer to the last. Undefined when it is gone. */
function readLine(): string | undefined {
  const chunk = Buffer.alloc(65_536);
  const chunks: Buffer[] = [];
  for (;;) {
    const length = readSync(controlFd, chunk);
    if (length === 0) return undefined;
    chunks.push(Buffer.from(chunk.subarray(0, length)));
    if (chunk[length - 1] === 0x0a) return Buffer.concat(chunks).toString("utf8");
  }
}

function failureOf(error: unknown): StartFailure {
  if (isWeftError(error) && !["KERNEL", "LAUNCH", "INTERNAL"].includes(error.code)) {
    return { code: error.code, message: error.message, details: error.details };
  }
  const details = isWeftError(error) ? error.details : {};
  return { code: "LAUNCH", message: `cannot prepare the sandbox: ${messageOf(error)}`, details };
}

const line = readLine();
if (line === undefined) process.exit(1);
try {
  becomeSandboxed(JSON.parse(line) as InitOrder); // the launcher's own, of this version
} catch (error) {
  answer({ kind: "failed", failure: failureOf(error) });
  process.exit(1);
}
