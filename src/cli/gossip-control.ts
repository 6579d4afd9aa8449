import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { type ErrorCode, errorCatalogue, isWeftError, messageOf, WeftError } from "../core/index.ts";
import type { KeyOperation } from "../gossip/index.ts";
import type { MemberLine, TableLine } from "./gossip-layer.ts";

/** What can be asked of a running agent, and what it answers. */
export interface ControlCalls {
  readonly members: {
    readonly request: { readonly call: "members" };
    readonly answer: readonly MemberLine[];
  };
  readonly keys: {
    readonly request: { readonly call: "keys"; readonly operation: KeyOperation; readonly key: string };
    readonly answer: KeysAnswer;
  };
  readonly tables: { readonly request: { readonly call: "tables" }; readonly answer: readonly TableLine[] };
}

/** What a question about keys brought together; see {@link KeyAnswers}. */
export interface KeysAnswer {
  readonly Members: number;
  readonly Answered: number;
  readonly Failures: Readonly<Record<string, string>>;
  readonly Keys: Readonly<Record<string, number>>;
  readonly Primaries: Readonly<Record<string, number>>;
}

export type ControlRequest = ControlCalls[keyof ControlCalls]["request"];

/** A request is one line of JSON of at most so many characters, and so is its answer. */
const maxRequest = 4096;

/**
 * Answers requests on a unix socket that only its owner may use, until the server is closed. Rejects when another
 * agent answers there; a socket whose agent is gone is replaced.
 */
export async function serveControl(
  path: string,
  answer: (request: ControlRequest) => Promise<unknown>,
): Promise<Server> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (await isServed(path))
    throw new WeftError("GOSSIP_NAME_IN_USE", `another gossip agent answers at ${path}: give --socket`);
  rmSync(path, { force: true });
  const server = createServer((socket) => serve(socket, answer));
  const mask = process.umask(0o177);
  try {
    server.listen(path);
    await once(server, "listening");
  } finally {
    process.umask(mask);
  }
  return server;
}

/** Asks the agent at `path`. Throws what it answers with, or GOSSIP_UNREACHABLE when none is there. */
export async function askAgent<Call extends keyof ControlCalls>(
  path: string,
  request: ControlCalls[Call]["request"],
): Promise<ControlCalls[Call]["answer"]> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
    socket.write(`${JSON.stringify(request)}\n`);
    const text = await lineFrom(socket);
    const reply = JSON.parse(text) as { answer?: unknown; error?: { code: string; message: string } };
    if (reply.error !== undefined) throw new WeftError(codeOf(reply.error.code), reply.error.message);
    return reply.answer as ControlCalls[Call]["answer"]; // serveControl's answer to this call has that type
  } catch (cause) {
    if (isWeftError(cause)) throw cause;
    throw new WeftError("GOSSIP_UNREACHABLE", `no gossip agent answers at ${path}: ${messageOf(cause)}`, {
      cause,
    });
  } finally {
    socket.destroy();
  }
}

function serve(socket: Socket, answer: (request: ControlRequest) => Promise<unknown>): void {
  socket.on("error", () => {}); // who asked is gone
  const lines = createInterface({ input: socket });
  lines.on("error", () => {});
  lines.once("line", (line) => {
    reply(line, answer).then((text) => socket.end(`${text}\n`));
  });
}

async function reply(line: string, answer: (request: ControlRequest) => Promise<unknown>): Promise<string> {
  try {
    if (line.length > maxRequest)
      throw new WeftError("INVALID_OPTION", `a request of ${line.length} characters`);
    return JSON.stringify({ answer: await answer(requestOf(line)) });
  } catch (error) {
    const code = isWeftError(error) ? error.code : "INTERNAL";
    return JSON.stringify({ error: { code, message: messageOf(error) } });
  }
}

const operations: readonly unknown[] = ["install", "use", "remove", "list"] satisfies readonly KeyOperation[];

function requestOf(line: string): ControlRequest {
  const value: unknown = JSON.parse(line);
  const request = (value ?? {}) as { call?: unknown; operation?: unknown; key?: unknown };
  const { call, operation, key } = request;
  if (call === "members" || call === "tables") return { call };
  if (call === "keys" && operations.includes(operation) && typeof key === "string")
    return { call, operation: operation as KeyOperation, key }; // it is one of them
  throw new WeftError("INVALID_OPTION", `unknown request ${JSON.stringify(call)}`);
}

async function lineFrom(socket: Socket): Promise<string> {
  for await (const line of createInterface({ input: socket })) return line;
  throw new Error("it closed the connection");
}

async function isServed(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false; // nobody listens, or there is no such file
  } finally {
    socket.destroy();
  }
}

function codeOf(text: string): ErrorCode {
  return text in errorCatalogue ? (text as ErrorCode) : "INTERNAL"; // a key of the catalogue
}
