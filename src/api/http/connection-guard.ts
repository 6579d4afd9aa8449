import type http from "node:http";
import type { Socket } from "node:net";
import { WeftError } from "../../core/index.ts";
import type { HttpLog } from "./http-log.ts";
import { refuseConnection } from "./last-words.ts";
import type { HttpLimits } from "./limits.ts";
import { statusOf } from "./refusal.ts";

/** Refused connections beyond this many are dropped without a word: they are descriptors too. */
const refusedAtATime = 64;

/** Counts a server's connections, and refuses those that are too many or send what is no request. */
export class ConnectionGuard {
  readonly #limits: HttpLimits;
  readonly #log: HttpLog;
  readonly #refused = new WeakSet<Socket>();
  readonly #answers = new WeakMap<Socket, http.ServerResponse>();
  readonly #open = new Set<Socket>();

  constructor(server: http.Server, limits: HttpLimits, log: HttpLog) {
    this.#limits = limits;
    this.#log = log;
    server.maxConnections = limits.connections + refusedAtATime;
    server.on("connection", (socket: Socket) => this.#take(socket));
    server.on("clientError", (error: NodeJS.ErrnoException, socket) => this.#fault(error, socket as Socket)); // an http server's
  }

  /** Connections that are open, those about to be refused included. */
  get open(): number {
    return this.#open.size;
  }

  /** Tells which answer a connection waits for. False when the connection was refused, and nothing is to be answered. */
  admit(socket: Socket, answer: http.ServerResponse): boolean {
    if (this.#refused.has(socket)) return false;
    this.#answers.set(socket, answer);
    return true;
  }

  /** Ends the connections that wait for no answer: Node does not count those as idle that have not asked yet. */
  endIdle(): void {
    for (const socket of this.#open)
      if (this.#answers.get(socket)?.writableFinished !== false) socket.destroySoon();
  }

  #take(socket: Socket): void {
    this.#open.add(socket);
    socket.once("close", () => this.#open.delete(socket));
    const most = this.#limits.connections;
    if (this.#open.size <= most) return;
    this.#refuse(
      socket,
      new WeftError(
        "TOO_MANY_CONNECTIONS",
        `the daemon has ${most} connections and takes no more: try again`,
      ),
    );
  }

  #fault(error: NodeJS.ErrnoException, socket: Socket): void {
    if (this.#refused.has(socket)) return;
    const begun = this.#answers.get(socket);
    if (error.code === "ECONNRESET" || (begun?.headersSent === true && !begun.writableFinished))
      return void socket.destroy();
    this.#refuse(socket, refusalOf(error, this.#limits));
  }

  #refuse(socket: Socket, error: WeftError): void {
    this.#refused.add(socket);
    this.#log.debug({ code: error.code, status: statusOf(error) }, "connection refused");
    refuseConnection(socket, error, this.#limits.lingerMs);
  }
}

/** Node's errors of a connection (`clientError`), by their codes. */
function refusalOf(error: NodeJS.ErrnoException, limits: HttpLimits): WeftError {
  if (error.code === "ERR_HTTP_REQUEST_TIMEOUT")
    return new WeftError(
      "REQUEST_TIMEOUT",
      `the request did not end: its head has to come within ${limits.headersMs} ms, its body within ${limits.bodyMs} ms more`,
    );
  if (error.code === "HPE_HEADER_OVERFLOW")
    return new WeftError(
      "HEADERS_TOO_LARGE",
      "the request's headers are too large: at most 16384 bytes are taken",
    );
  return new WeftError("INVALID_REQUEST", `invalid request: not HTTP/1.1: ${error.message}`);
}
