/**
 * The launcher thread, started by launcher.ts and nobody's to import. Spawning copies the page tables of
 * the whole program, which takes ms in a large one, and needs a thread whose children are born in another
 * PID namespace for a moment: neither is the main thread's business.
 */
import os from "node:os";
import { parentPort } from "node:worker_threads";
import { isWeftError, messageOf, WeftError } from "../core/index.ts";
import { CommandChild } from "./command-child.ts";
import type { StartFailure } from "./init-protocol.ts";
import { SpareChildren } from "./spare-children.ts";
import type { RunRequest, ThreadEvent, ThreadRequest } from "./thread-protocol.ts";

if (parentPort === null) throw new WeftError("INTERNAL", "launcher-thread.ts is not for the main thread");
const port = parentPort;
const spares = new SpareChildren();
const children = new Map<number, CommandChild>();
let closing = false;

function post(event: ThreadEvent): void {
  port.postMessage(event);
}

async function run(request: RunRequest): Promise<void> {
  const { id } = request;
  let failure: StartFailure | undefined;
  try {
    failure = await start(request);
  } catch (error) {
    failure = launchFailure(error);
  }
  if (failure !== undefined) post({ kind: "failed", id, failure });
  children.delete(id);
  endIfDone();
}

/** Starts a command, and awaits its end if it runs. */
async function start(request: RunRequest): Promise<StartFailure | undefined> {
  const { id, order, stdio } = request;
  const spare = isForSpare(request) ? spares.take() : undefined;
  const child = spare ?? CommandChild.spawn(request);
  children.set(id, child);
  const { identity } = child;
  const whole = spare === undefined ? order : { ...order, streams: stdio };
  const failure = await child.start(whole, () => post({ kind: "prepared", id, identity }));
  if (failure === undefined) {
    post({ kind: "started", id, identity });
    spares.refill();
    post({ kind: "exited", id, status: await child.exited });
    return undefined;
  }
  if (spare === undefined || failure.details.step !== "streams") return failure;
  // This kernel's security module lets no process take another's descriptors.
  spares.giveUp();
  return start(request);
}

/** A spare one is the first of a PID namespace and the leader of a session. */
function isForSpare({ join, ownSession }: RunRequest): boolean {
  return join === undefined && ownSession;
}

function launchFailure(error: unknown): StartFailure {
  if (isWeftError(error, "COMMAND_ENDED")) return { code: error.code, message: error.message, details: {} };
  return { code: "LAUNCH", message: `cannot start a command: ${messageOf(error)}`, details: {} };
}

function endIfDone(): void {
  if (!closing) return;
  spares.giveUp();
  if (children.size === 0) port.close();
}

function signal(id: number, number: number): void {
  const child = children.get(id);
  if (number === os.constants.signals.SIGKILL) child?.end();
  else child?.signal(number);
}

port.on("message", (request: ThreadRequest) => {
  switch (request.kind) {
    case "run":
      void run(request);
      break;
    case "keepSpares":
      spares.keep(request.count);
      break;
    case "proceed":
      children.get(request.id)?.proceed();
      break;
    case "signal":
      signal(request.id, request.signal);
      break;
    case "close":
      closing = true;
      endIfDone();
      break;
  }
});
post({ kind: "ready" });
