import http from "node:http";
import net from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { messageOf, WeftError } from "../../core/errors.ts";
import type { ApiRequest } from "./requests.ts";

/** How often a full queue of the daemon's socket is asked again, and after how many ms. */
const fullQueueRetries = 40;
const fullQueueWaitMs = 25;

/** Sends requests to the daemon's unix socket. */
export class Connection {
  readonly #socketPath: string;
  readonly #agent: http.Agent | undefined;

  /** With `keepAlive`, connections are kept for later requests, until `close`; else each request has its own. */
  constructor(socketPath: string, keepAlive: boolean) {
    this.#socketPath = socketPath;
    this.#agent = keepAlive ? new http.Agent({ keepAlive: true }) : undefined;
  }

  /** Ends the connections that are kept. */
  close(): void {
    this.#agent?.destroy();
  }

  /** The answer, once its head is there. Throws the daemon's refusal, or why there is no answer. */
  async send(request: ApiRequest, signal: AbortSignal | undefined): Promise<http.IncomingMessage> {
    const answer = await this.#reach(request, signal);
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status < 300) return answer;
    // Loaded when it is needed: most commands are not refused, and a file more costs their start a millisecond.
    const { errorOfAnswer } = await import("./answer-error.ts");
    throw errorOfAnswer(status, await this.text(answer, signal));
  }

  /** All of an answer's body. Throws ANSWER_LOST when it is cut off, ABORTED when `signal` fired. */
  async text(answer: http.IncomingMessage, signal: AbortSignal | undefined): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.chunks(answer, signal)) chunks.push(chunk);
    return Buffer.concat(chunks).toString("utf8");
  }

  /** An answer's body as it comes. Leaving the loop ends the connection. */
  async *chunks(answer: http.IncomingMessage, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of answer) yield chunk;
    } catch (error) {
      throw this.#failure(error, signal);
    }
  }

  async #reach(request: ApiRequest, signal: AbortSignal | undefined): Promise<http.IncomingMessage> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#attempt(request, signal);
      } catch (error) {
        // A unix socket whose queue is full refuses at once, where TCP would wait; connect(2).
        if (codeOf(error) !== "EAGAIN" || attempt >= fullQueueRetries) throw this.#failure(error, signal);
        await delay(fullQueueWaitMs);
      }
    }
  }

  #attempt(request: ApiRequest, signal: AbortSignal | undefined): Promise<http.IncomingMessage> {
    const body = request.Body === undefined ? undefined : Buffer.from(JSON.stringify(request.Body));
    return new Promise((resolve, reject) => {
      const outgoing = http.request({
        ...this.#way(),
        method: request.Method,
        path: request.Path,
        headers:
          body === undefined ? {} : { "Content-Type": "application/json", "Content-Length": body.length },
        ...(signal === undefined ? {} : { signal }),
      });
      outgoing.on("response", resolve);
      outgoing.on("error", reject); // after the response, its own reader is told
      outgoing.end(body);
    });
  }

  /** Without an agent for a connection that is not kept: an agent's first request takes 5 ms, of a command's 100. */
  #way(): http.RequestOptions {
    const socketPath = this.#socketPath;
    return this.#agent === undefined
      ? { createConnection: () => net.connect(socketPath) }
      : { socketPath, agent: this.#agent };
  }

  #failure(error: unknown, signal: AbortSignal | undefined): WeftError {
    if (error instanceof WeftError) return error;
    if (signal?.aborted)
      return new WeftError("ABORTED", `aborted: ${messageOf(signal.reason)}`, { cause: signal.reason });
    const path = this.#socketPath;
    const code = codeOf(error);
    const init = { cause: error, details: { socketPath: path } };
    if (!isConnectError(error))
      return new WeftError(
        "ANSWER_LOST",
        `the daemon at ${path} went away before it had answered: whether it did what was asked is not known`,
        init,
      );
    if (code === "EACCES" || code === "EPERM")
      return new WeftError(
        "DAEMON_FORBIDDEN",
        `permission denied to use the daemon at ${path}: be root, or a member of the group that the socket belongs to`,
        init,
      );
    if (code === "EAGAIN")
      return new WeftError("DAEMON_UNREACHABLE", `the daemon at ${path} takes no more connections`, init);
    return new WeftError(
      "DAEMON_UNREACHABLE",
      `cannot reach the daemon at ${path}: is it running? start it with \`weft up\``,
      init,
    );
  }
}

function isConnectError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error && error.syscall === "connect";
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
