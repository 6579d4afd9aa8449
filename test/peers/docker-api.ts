import { Agent, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";

/** Calls of Docker's HTTP API over its unix socket (docs.docker.com/engine/api). */
export class DockerApi {
  readonly #socketPath: string;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /** What the engine answers to a GET, parsed. */
  async get<T>(path: string): Promise<T> {
    return JSON.parse(await this.#call("GET", path)) as T; // the caller knows the API
  }

  /** Sends `body` as JSON, or none, and gives the parsed answer; undefined for an empty one. */
  async post<T>(path: string, body?: unknown): Promise<T> {
    const answer = await this.postForText(path, body);
    return (answer === "" ? undefined : JSON.parse(answer)) as T; // the caller knows the API
  }

  /** The same where the answer is no JSON. */
  postForText(path: string, body?: unknown): Promise<string> {
    return this.#call("POST", path, "application/json", body === undefined ? "" : JSON.stringify(body));
  }

  /** Sends an archive. */
  upload(path: string, tar: Uint8Array): Promise<string> {
    return this.#call("POST", path, "application/x-tar", tar);
  }

  async delete(path: string): Promise<void> {
    await this.#call("DELETE", path);
  }

  /** Gives up the connections that are kept. */
  close(): void {
    this.#agent.destroy();
  }

  async #call(
    method: string,
    path: string,
    type = "application/json",
    body: string | Uint8Array = "",
  ): Promise<string> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const call = request({
        socketPath: this.#socketPath,
        agent: this.#agent,
        method,
        path,
        headers: { host: "docker", "content-type": type, "content-length": Buffer.byteLength(body) },
        signal: AbortSignal.timeout(callLimitMs),
      });
      call.once("response", resolve).once("error", reject).end(body);
    });
    const answer = await text(response);
    if (response.statusCode !== undefined && response.statusCode < 400) return answer;
    throw new DockerError(`${method} ${path}: ${response.statusCode}: ${messageOf(answer)}`);
  }
}

/** A refusal by the engine, in its words. */
export class DockerError extends Error {}

/** Far more than any call takes: publishing 100 ports takes 6 s. */
const callLimitMs = 120_000;

function messageOf(answer: string): string {
  try {
    return (JSON.parse(answer) as { readonly message: string }).message; // the API's form of errors
  } catch {
    return answer;
  }
}
