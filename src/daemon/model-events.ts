import type { ControllerEvent } from "../cnm/index.ts";
import { messageOf } from "../core/index.ts";
import type { NewEvent } from "./event-log.ts";
import type { DaemonLog } from "./log.ts";
import type { SandboxHappening } from "./sandboxes/sandbox-happening.ts";

/** Tells what the model does by itself: in the daemon's log, and as an event of the host. */
export function tellModelEvent(event: ControllerEvent, log: DaemonLog, add: (event: NewEvent) => void): void {
  const facts = factsOf(event);
  const mended =
    event.event === "address-conflict" || (event.event === "repaired" && event.failures.length === 0);
  const level = mended ? "warn" : "error";
  log[level]({ component: "model", ...facts, err: "error" in event ? event.error : undefined }, event.event);
  add({ Type: "host", Action: event.event, Actor: { Id: "", Name: facts.what ?? "", Attributes: facts } });
}

function factsOf(event: ControllerEvent): Readonly<Record<string, string>> {
  if (event.event === "repaired") {
    return {
      what: event.what.join(", "),
      by: event.by ?? "",
      failures: event.failures.map(({ what, error }) => `${what}: ${messageOf(error)}`).join("; "),
    };
  }
  if (event.event === "address-conflict") {
    return {
      what: event.what,
      held: event.held.map(({ address, mac }) => `${address} by ${mac}`).join(", "),
      taken: event.taken.join(", "),
    };
  }
  const error = messageOf(event.error);
  return "what" in event ? { what: event.what, error } : { error };
}

/** What happened to a sandbox, as an event. */
export function sandboxEvent({ action, sandbox, facts = {} }: SandboxHappening): NewEvent {
  return {
    Type: "sandbox",
    Action: action,
    Actor: { Id: sandbox.id, Name: sandbox.name, Attributes: { sandbox: sandbox.name, ...facts } },
  };
}
