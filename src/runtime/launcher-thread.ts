/**
 * The launcher thread, started by launcher.ts and nobody's to import. Spawning copies the page tables of
 * the whole program, which takes ms in a large one, and needs a thread whose children are born in another
 * PID namespace for a moment: neither is the main thread's business.
 */
import { parentPort } from "node:worker_threads";
import { messageOf, WeftError } from "../core/index.ts";
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
    child = new CommandChild(request);
  } catch (error) {
    post({ kind: "failed", id, failure: launchFailure(error) });
    return;
  }
  children.set(id, child);
  const failure = await child.started;
  if (failure === undefined) {
    post({ kind: "started", id, identity: child.identity });
    post({ kind: "exited", id, status: await child.exited });
  } else {
    post({ kind: "failed", id, failure });
  }
  children.delete(id);
  endIfDone();
}

function launchFailure(error: unknown): StartFailure {
  return { code: "LAUNCH", message: `cannot start a command: ${messageOf(error)}`, details: {} };
}

function endIfDone(): void {
  if (closing && children.size === 0) port.close();
}

port.on("message", (request: ThreadRequest) => {
  switch (request.kind) {
    case "run":
      void run(request);
      break;
    case "signal":
      children.get(request.id)?.signal(request.signal);
      break;
    case "close":
      closing = true;
      endIfDone();
      break;
  }
});
post({ kind: "ready" });
