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
import type { RunRequest, ThreadEvent, ThreadRequest } from "./thread-protocol.ts";

if (parentPort === null) throw new WeftError("INTERNAL", "launcher-thread.ts is not for the main thread");
const port = parentPort;
const children = new Map<number, CommandChild>();
let closing = false;

function post(event: ThreadEvent): void {
  port.postMessage(event);
}

async function run(request: RunRequest): Promise<void> {
  const { id } = request;
  let child: CommandChild;
  try {
    child = CommandChild.spawn(request);
  } catch (error) {
    post({ kind: "failed", id, failure: launchFailure(error) });
    return;
  }
  children.set(id, child);
  const { identity } = child;
  const failure = await child.start(request.order, () => post({ kind: "prepared", id, identity }));
  if (failure === undefined) {
    post({ kind: "started", id, identity });
    post({ kind: "exited", id, status: await child.exited });
  } else {
    post({ kind: "failed", id, failure });
  }
  children.delete(id);
  endIfDone();
}

function launchFailure(error: unknown): StartFailure {
  if (isWeftError(error, "COMMAND_ENDED")) return { code: error.code, message: error.message, details: {} };
  return { code: "LAUNCH", message: `cannot start a command: ${messageOf(error)}`, details: {} };
}

function endIfDone(): void {
  if (closing && children.size === 0) port.close();
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
