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

  /**
   * With `keepAlive`, connections are kept for later requests that only read, until `close`; all others have their own.
   * The daemon may end a kept one in the moment in which it is used again: what changes something must not be asked
   * twice, or not at all, for that.
   */
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
    let agent = request.Method === "GET" ? this.#agent : undefined;
    for (let attempt = 0; ; attempt++) {
      const outgoing = this.#request(request, agent, signal);
      try {
        return await answerTo(outgoing);
      } catch (error) {
        if (outgoing.reusedSocket && !isConnectError(error) && !signal?.aborted) {
          agent = undefined; // it was ended meanwhile
          continue;
        }
        // A unix socket whose queue is full refuses at once, where TCP would wait; connect(2).
        if (codeOf(error) !== "EAGAIN" || attempt >= fullQueueRetries) throw this.#failure(error, signal);
        await delay(fullQueueWaitMs);
      }
    }
  }

  #request(
    request: ApiRequest,
    agent: http.Agent | undefined,
    signal: AbortSignal | undefined,
  ): http.ClientRequest {
    const body = request.Body === undefined ? undefined : Buffer.from(JSON.stringify(request.Body));
    const outgoing = http.request({
      ...this.#way(agent),
      method: request.Method,
      path: request.Path,
      headers:
        body === undefined ? {} : { "Content-Type": "application/json", "Content-Length": body.length },
      ...(signal === undefined ? {} : { signal }),
    });
    return outgoing.end(body);
  }

  /** Without an agent for a connection that is not kept: an agent's first request takes 5 ms, of a command's 100. */
  #way(agent: http.Agent | undefined): http.RequestOptions {
    const socketPath = this.#socketPath;
    return agent === undefined ? { createConnection: () => net.connect(socketPath) } : { socketPath, agent };
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

/** The head of the answer; what fails after it, its own reader is told. */
function answerTo(outgoing: http.ClientRequest): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.on("response", resolve);
    outgoing.on("error", reject);
  });
}

function isConnectError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error && error.syscall === "connect";
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
