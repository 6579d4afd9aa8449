import type http from "node:http";
import { WeftError } from "../../core/errors.ts";
import type {
  Created,
  DriftItem,
  Entry,
  Event,
  Filters,
  Finding,
  Info,
  Network,
  NetworkConnect,
  NetworkCreateInput,
  NetworkDisconnectInput,
  Plan,
  ProcessIdentity,
  PruneReport,
  RepairReport,
  Sandbox,
  SandboxCreateInput,
  SandboxSummary,
  Version,
  WaitResult,
} from "../schema/index.ts";
import { Connection } from "./connection.ts";
import {
  type ApiRequest,
  type ChangeRequest,
  changes,
  networkPath,
  type StopOptions,
  sandboxPath,
  withQuery,
} from "./requests.ts";

/** What a client is made from. */
export interface ClientOptions {
  /** The daemon's unix socket: /run/weft/weft.sock by default of `weft up`. */
  readonly socketPath: string;
  /** Keep connections for later requests that only read. Off without: a command that asks once and ends. */
  readonly keepAlive?: boolean;
  /** Ends every request that is under way. What the daemon has begun it still does. */
  readonly signal?: AbortSignal;
}

/** Which lines of a sandbox's output a client wants. */
export interface ClientLogQuery {
  /** The last so many lines; all without. */
  readonly tail?: number | undefined;
  /** Go on as more comes, until the command has ended. */
  readonly follow?: boolean;
  /** Called once the daemon reads the log: all that is written from then on comes, also with a `tail` of 0. */
  readonly onBegun?: () => void;
  readonly signal?: AbortSignal;
}

/** Which events a client wants. */
export interface ClientEventQuery {
  /** An event's id, or a time (RFC 3339, or seconds since 1970): those after it. Only new ones without. */
  readonly since?: string | undefined;
  /** A time; the stream ends there. */
  readonly until?: string | undefined;
  readonly filters?: Filters;
  readonly signal?: AbortSignal;
}

/**
 * Everything that a host's daemon does, asked over its unix socket; the counterpart of HostService. A
 * refusal is the WeftError that the daemon threw. Besides, every method throws DAEMON_UNREACHABLE and
 * DAEMON_FORBIDDEN when nothing was asked, ANSWER_LOST when it was and no answer came, and ABORTED.
 */
export class WeftClient {
  readonly #connection: Connection;
  readonly #signal: AbortSignal | undefined;

  constructor({ socketPath, keepAlive = false, signal }: ClientOptions) {
    this.#connection = new Connection(socketPath, keepAlive);
    this.#signal = signal;
  }

  /** Ends the connections that were kept. Only needed with `keepAlive`. */
  close(): void {
    this.#connection.close();
  }

  /** Resolves when a daemon answers. */
  async ping(): Promise<void> {
    await this.#text(get("/v1/_ping"));
  }

  version(): Promise<Version> {
    return this.#json(get("/v1/version"));
  }

  info(): Promise<Info> {
    return this.#json(get("/v1/info"));
  }

  createNetwork(request: NetworkCreateInput): Promise<Created> {
    return this.#json(changes.createNetwork(request));
  }

  /** In the order in which they were made; without their containers. */
  networks(filters: Filters = {}): Promise<readonly Network[]> {
    return this.#json(get(withQuery("/v1/networks", { filters })));
  }

  network(reference: string, { verbose = false }: { readonly verbose?: boolean } = {}): Promise<Network> {
    return this.#json(get(withQuery(networkPath(reference), { verbose })));
  }

  removeNetwork(reference: string): Promise<void> {
    return this.#nothing(changes.removeNetwork(reference));
  }

  /** Removes those that no sandbox uses. */
  pruneNetworks(filters: Filters = {}): Promise<PruneReport> {
    return this.#json(changes.pruneNetworks(filters));
  }

  connect(network: string, request: NetworkConnect): Promise<void> {
    return this.#nothing(changes.connect(network, request));
  }

  disconnect(network: string, request: NetworkDisconnectInput): Promise<void> {
    return this.#nothing(changes.disconnect(network, request));
  }

  /** Makes a sandbox with its networks; with `start` its command runs in the background when this resolves. */
  createSandbox(request: SandboxCreateInput, options: { readonly start?: boolean } = {}): Promise<Created> {
    return this.#json(changes.createSandbox(request, options));
  }

  /** The newest first; those that run, and with `all` every one. */
  sandboxes(
    filters: Filters = {},
    { all = false }: { readonly all?: boolean } = {},
  ): Promise<readonly SandboxSummary[]> {
    return this.#json(get(withQuery("/v1/sandboxes", { all, filters })));
  }

  sandbox(reference: string): Promise<Sandbox> {
    return this.#json(get(sandboxPath(reference)));
  }

  removeSandbox(reference: string, options: { readonly force?: boolean } = {}): Promise<void> {
    return this.#nothing(changes.removeSandbox(reference, options));
  }

  startSandbox(reference: string): Promise<void> {
    return this.#nothing(changes.startSandbox(reference));
  }

  stopSandbox(reference: string, options: StopOptions = {}): Promise<void> {
    return this.#nothing(changes.stopSandbox(reference, options));
  }

  /** SIGKILL without `signal`. */
  killSandbox(reference: string, options: { readonly signal?: string } = {}): Promise<void> {
    return this.#nothing(changes.killSandbox(reference, options));
  }

  restartSandbox(reference: string, options: StopOptions = {}): Promise<void> {
    return this.#nothing(changes.restartSandbox(reference, options));
  }

  /** Resolves when the sandbox's command has ended; at once when it does not run. */
  waitSandbox(reference: string, signal?: AbortSignal): Promise<WaitResult> {
    return this.#json({ Method: "POST", Path: `${sandboxPath(reference)}/wait` }, signal);
  }

  /** Standard output and error as they were written. */
  async *logs(
    reference: string,
    { tail, follow = false, onBegun, signal }: ClientLogQuery = {},
  ): AsyncGenerator<Uint8Array> {
    const path = withQuery(`${sandboxPath(reference)}/logs`, { tail, follow });
    yield* this.#chunks(get(path), signal, onBegun);
  }

  /** Opens a sandbox's networks for a command that the caller starts itself. */
  enterSandbox(reference: string): Promise<Entry> {
    return this.#json(changes.enterSandbox(reference));
  }

  /** Tells that the caller has started the sandbox's command, which waits to be let go. */
  claimProcess(reference: string, process: ProcessIdentity): Promise<void> {
    return this.#nothing(changes.claimProcess(reference, process));
  }

  /** Tells how the command ended that the caller started; `status` is 128 + n for signal n. */
  tellExit(
    reference: string,
    { process, status }: { readonly process: ProcessIdentity; readonly status: number },
  ): Promise<void> {
    return this.#nothing(changes.tellExit(reference, process, status));
  }

  drift(): Promise<readonly DriftItem[]> {
    return this.#json(get("/v1/drift"));
  }

  repair(): Promise<RepairReport> {
    return this.#json(changes.repair());
  }

  doctor(): Promise<readonly Finding[]> {
    return this.#json(get("/v1/doctor"));
  }

  /** What `request` would change in the kernel, and nothing done; requests are in `changes`. */
  plan(request: ChangeRequest): Promise<Plan> {
    return this.#json({ Method: "POST", Path: "/v1/plan", Body: request });
  }

  /**
   * What happens, as it happens. Goes on until `until` or `signal`. When the daemon goes away this throws
   * ANSWER_LOST; ask again with the last event's Id as `since`, and nothing is lost or told twice.
   */
  async *events({ since, until, filters = {}, signal }: ClientEventQuery = {}): AsyncGenerator<Event> {
    const { linesOf } = await import("./lines.ts"); // not at the start: no other command needs it
    const path = withQuery("/v1/events", { since, until, filters });
    for await (const line of linesOf(this.#chunks(get(path), signal))) yield parse(line);
  }

  /** In Prometheus' text format. */
  metrics(): Promise<string> {
    return this.#text(get("/metrics"));
  }

  /** A copy of the store as it is at one moment, as a file's content. */
  async *backup(signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    yield* this.#chunks(get("/v1/store/backup"), signal);
  }

  async #nothing(request: ApiRequest): Promise<void> {
    await this.#text(request);
  }

  async #json<T>(request: ApiRequest, signal?: AbortSignal): Promise<T> {
    return parse(await this.#text(request, signal));
  }

  async #text(request: ApiRequest, own?: AbortSignal): Promise<string> {
    const signal = this.#either(own);
    return this.#connection.text(await this.#connection.send(request, signal), signal);
  }

  async *#chunks(request: ApiRequest, own?: AbortSignal, onBegun?: () => void): AsyncGenerator<Uint8Array> {
    const signal = this.#either(own);
    const answer: http.IncomingMessage = await this.#connection.send(request, signal);
    onBegun?.();
    yield* this.#connection.chunks(answer, signal);
  }

  #either(own: AbortSignal | undefined): AbortSignal | undefined {
    if (own === undefined) return this.#signal;
    return this.#signal === undefined ? own : AbortSignal.any([own, this.#signal]);
  }
}

function get(path: string): ApiRequest {
  return { Method: "GET", Path: path };
}

/** `T` is what the daemon answers by its schema, which is not loaded here: that would cost every command's start. */
function parse<T>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new WeftError("BAD_ANSWER", "the daemon answered something that is no JSON", { cause });
  }
}
