import { z } from "zod";
import {
  Created,
  Entry,
  ExitReport,
  ProcessIdentity,
  Sandbox,
  SandboxCreate,
  SandboxSummary,
  WaitResult,
} from "../../schema/index.ts";
import { FiltersText, flag, Seconds, Tail } from "../query-words.ts";
import { type AnyRoute, route } from "../route.ts";

const StopWords = z.strictObject({ timeout: Seconds });

const KillWords = z.strictObject({
  signal: z.string().min(1).default("SIGKILL").meta({ description: "By name or number." }),
});

/** Sandboxes and their commands. */
export const sandboxRoutes: readonly AnyRoute[] = [
  route({
    method: "POST",
    path: "/v1/sandboxes",
    operation: "createSandbox",
    summary: "Makes a sandbox with its networks.",
    query: z.strictObject({ start: flag("Start its command, in the background.") }),
    body: SandboxCreate,
    answer: { kind: "json", status: 201, schema: Created },
    run: (service, { body, query }) => service.createSandbox(body, query),
  }),
  route({
    method: "GET",
    path: "/v1/sandboxes",
    operation: "sandboxes",
    summary: "Sandboxes, the newest first.",
    query: z.strictObject({
      all: flag("Also those that do not run."),
      filters: FiltersText,
    }),
    answer: { kind: "list", item: SandboxSummary },
    run: (service, { query }) => service.sandboxes(query.filters, { all: query.all }),
  }),
  route({
    method: "GET",
    path: "/v1/sandboxes/{sandbox}",
    operation: "sandbox",
    summary: "One sandbox.",
    answer: { kind: "json", status: 200, schema: Sandbox },
    run: (service, { reference }) => service.sandbox(reference),
  }),
  route({
    method: "DELETE",
    path: "/v1/sandboxes/{sandbox}",
    operation: "removeSandbox",
    summary: "Removes a sandbox.",
    query: z.strictObject({ force: flag("Kill its command first.") }),
    answer: { kind: "nothing" },
    run: (service, { reference, query }) => service.removeSandbox(reference, query),
  }),
  route({
    method: "POST",
    path: "/v1/sandboxes/{sandbox}/start",
    operation: "startSandbox",
    summary: "Starts a sandbox's command, in the background.",
    answer: { kind: "nothing" },
    run: (service, { reference }) => service.startSandbox(reference),
  }),
  route({
    method: "POST",
    path: "/v1/sandboxes/{sandbox}/stop",
    operation: "stopSandbox",
    summary: "Ends a sandbox's command: its stop signal, and SIGKILL after the timeout.",
    query: StopWords,
    answer: { kind: "nothing" },
    run: (service, { reference, query }) => service.stopSandbox(reference, { timeout: query.timeout }),
  }),
  route({
    method: "POST",
    path: "/v1/sandboxes/{sandbox}/kill",
    operation: "killSandbox",
    summary: "Sends a signal to a sandbox's command.",
    query: KillWords,
    answer: { kind: "nothing" },
    run: (service, { reference, query }) => service.killSandbox(reference, query),
  }),
  route({
    method: "POST",
    path: "/v1/sandboxes/{sandbox}/restart",
    operation: "restartSandbox",
    summary: "Stops and starts a sandbox's command.",
    query: StopWords,
    answer: { kind: "nothing" },
    run: (service, { reference, query }) => service.restartSandbox(reference, { timeout: query.timeout }),
  }),
  route({
    method: "POST",
    path: "/v1/sandboxes/{sandbox}/wait",
    operation: "waitSandbox",
    summary: "Answers when a sandbox's command has ended; at once when it does not run.",
    answer: { kind: "json", status: 200, schema: WaitResult },
    notPlanned: true,
    run: (service, { reference, signal }) => service.waitSandbox(reference, signal),
  }),
  route({
    method: "POST",
    path: "/v1/sandboxes/{sandbox}/enter",
    operation: "enterSandbox",
    summary: "Opens a sandbox's networks for a command that the client starts itself, on this host.",
    answer: { kind: "json", status: 200, schema: Entry },
    run: (service, { reference }) => service.enterSandbox(reference),
  }),
  route({
    method: "PUT",
    path: "/v1/sandboxes/{sandbox}/process",
    operation: "claimProcess",
    summary: "Tells that the client has started the sandbox's command.",
    body: ProcessIdentity,
    answer: { kind: "nothing" },
    notPlanned: true,
    run: (service, { reference, body }) => service.claimProcess(reference, body),
  }),
  route({
    method: "POST",
    path: "/v1/sandboxes/{sandbox}/exit",
    operation: "tellExit",
    summary: "Tells how the command ended that the client had started.",
    body: ExitReport,
    answer: { kind: "nothing" },
    notPlanned: true,
    run: (service, { reference, body }) =>
      service.tellExit(reference, { process: body.Process, status: body.StatusCode }),
  }),
  route({
    method: "GET",
    path: "/v1/sandboxes/{sandbox}/logs",
    operation: "logs",
    summary: "What a sandbox's command has written to its standard output and error.",
    query: z.strictObject({
      tail: Tail,
      follow: flag("Go on as more comes, until the command has ended."),
    }),
    answer: { kind: "bytes", contentType: "application/octet-stream" },
    run: (service, { reference, query, signal }) => service.logs(reference, { ...query, signal }),
  }),
];
