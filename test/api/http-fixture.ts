import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { WeftClient } from "../../src/api/client/index.ts";
import { type HostService, type HttpOptions, type HttpServer, serveHttp } from "../../src/api/index.ts";

/** A line of the server's log. */
export interface LogLine {
  readonly level: "debug" | "error";
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** A server on a socket of its own, for one test. */
export interface TestServer {
  readonly socketPath: string;
  readonly server: HttpServer;
  readonly client: WeftClient;
  readonly log: LogLine[];
}

/** What a raw request was answered with. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

/** Runs `test` with a server for `service`; closes it and removes its folder after. */
export async function withServer(
  service: HostService,
  test: (server: TestServer) => Promise<void>,
  options: Partial<HttpOptions> = {},
): Promise<void> {
  await withFolder(async (folder) => {
    const socketPath = path.join(folder, "weft.sock");
    const log: LogLine[] = [];
    const server = await serveHttp(service, { listen: { socketPath }, log: logTo(log), ...options });
    try {
      await test({ socketPath, server, client: new WeftClient({ socketPath }), log });
    } finally {
      await server.close(0);
    }
  });
}

/** Runs `test` with a folder of its own. */
export async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "weft-api-"));
  try {
    await test(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A log that is kept. */
export function logTo(lines: LogLine[]): HttpOptions["log"] {
  const write = (level: LogLine["level"]) => (fields: LogLine["fields"], message: string) =>
    void lines.push({ level, fields, message });
  return { debug: write("debug"), error: write("error") };
}

/** Asks by Node's own client, with any headers and any body. */
export function ask(
  socketPath: string,
  method: string,
  target: string,
  body?: string | Buffer,
  headers: http.OutgoingHttpHeaders = {},
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const type =
      body === undefined
        ? {}
        : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
    const request = http.request({
      socketPath,
      method,
      path: target,
      headers: { ...type, ...headers },
      agent: false,
    });
    request.on("error", reject);
    request.on("response", (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          text: Buffer.concat(chunks).toString(),
        }),
      );
    });
    request.end(body);
  });
}

/** Everything that arrives on `socket` until its other side ends. */
export function allOf(socket: net.Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("error", () => {}); // a reset after the answer
    socket.on("end", () => resolve(text));
    socket.on("close", () => resolve(text));
  });
}

/** A bare connection. */
export function connectTo(socketPath: string): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(socketPath);
    socket.once("connect", () => resolve(socket));
    socket.once("error", reject);
  });
}

/** Sends `chunk` over and over, `bytes` at most, until the answer comes; how many bytes the kernel took. */
export async function sendUntilRefused(
  socket: net.Socket,
  {
    chunk,
    bytes,
    answer,
  }: { readonly chunk: Buffer; readonly bytes: number; readonly answer: Promise<string> },
): Promise<number> {
  let refused = false;
  void answer.then(() => {
    refused = true;
  });
  for (let sent = 0; !refused && sent < bytes; sent += chunk.length)
    if (!socket.write(chunk)) await Promise.race([once(socket, "drain").catch(() => {}), answer]);
  return socket.bytesWritten - socket.writableLength;
}
