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
  NetworkCreate,
  NetworkDisconnect,
  Plan,
  PlanRequest,
  ProcessIdentity,
  PruneReport,
  RepairReport,
  Sandbox,
  SandboxCreate,
  SandboxSummary,
  Version,
  WaitResult,
} from "./schema/index.ts";

/** Which lines of a sandbox's output are wanted. */
export interface LogQuery {
  /** The last so many lines; all without. */
  readonly tail?: number | undefined;
  /** Go on as more comes, until the command has ended or `signal` fires. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/** Which events are wanted. */
export interface EventQuery {
  /** An event's id, or a time (RFC 3339, or seconds since 1970): those after it. Only new ones without. */
  readonly since?: string | undefined;
  /** A time; the stream ends there. */
  readonly until?: string | undefined;
  readonly filters: Filters;
  readonly signal: AbortSignal;
}

/**
 * Everything that a host's daemon does for its clients, behind whatever door they come by. `reference` is
 * a name, an id, or the beginning of one. Requests were checked against their schemas. Whatever is refused
 * is a WeftError and has changed nothing.
 */
export interface HostService {
  version(): Version;
  info(): Info;

  createNetwork(request: NetworkCreate): Promise<Created>;
  /** In the order in which they were made; without their containers. */
  networks(filters: Filters): readonly Network[];
  network(reference: string, options: { readonly verbose: boolean }): Promise<Network>;
  removeNetwork(reference: string): Promise<void>;
  /** Removes those that no sandbox uses. */
  pruneNetworks(filters: Filters): Promise<PruneReport>;
  connect(network: string, request: NetworkConnect): Promise<void>;
  disconnect(network: string, request: NetworkDisconnect): Promise<void>;

  /** Makes a sandbox with its networks; with `start` its command runs in the background when this resolves. */
  createSandbox(request: SandboxCreate, options: { readonly start: boolean }): Promise<Created>;
  /** The newest first; those that run, and with `all` every one. */
  sandboxes(filters: Filters, options: { readonly all: boolean }): readonly SandboxSummary[];
  sandbox(reference: string): Promise<Sandbox>;
  removeSandbox(reference: string, options: { readonly force: boolean }): Promise<void>;
  startSandbox(reference: string): Promise<void>;
  /** `timeout`: seconds until SIGKILL; the sandbox's own without. */
  stopSandbox(reference: string, options: { readonly timeout: number | undefined }): Promise<void>;
  killSandbox(reference: string, options: { readonly signal: string }): Promise<void>;
  restartSandbox(reference: string, options: { readonly timeout: number | undefined }): Promise<void>;
  /** Resolves when its command has ended; at once when it does not run. */
  waitSandbox(reference: string, signal: AbortSignal): Promise<WaitResult>;
  /** Standard output and error as they were written. Throws before the first chunk when there is no such sandbox. */
  logs(reference: string, query: LogQuery): AsyncIterable<Uint8Array>;
  /**
   * Tells a client where to start a command, with its own terminal, beside the sandbox's; opens the networks of one
   * whose command was never begun. Throws SANDBOX_NOT_RUNNING when that has ended, or is about to be started again.
   */
  enterSandbox(reference: string): Promise<Entry>;
  /** Tells that a client has started the sandbox's command, and waits to let it begin. Throws when another runs. */
  claimProcess(reference: string, process: ProcessIdentity): Promise<void>;
  /** What a client tells of the end of the command that it started. */
  tellExit(
    reference: string,
    exit: { readonly process: ProcessIdentity; readonly status: number },
  ): Promise<void>;

  drift(): Promise<readonly DriftItem[]>;
  repair(): Promise<RepairReport>;
  doctor(): Promise<readonly Finding[]>;
  plan(request: PlanRequest): Promise<Plan>;
  /**
   * Goes on until `signal` fires, or `until`. Whatever happens after the first item was asked for is told; what
   * is wrong with the query is thrown before it.
   */
  events(query: EventQuery): AsyncIterable<Event>;
  /** In Prometheus' text format. */
  metrics(): Promise<string>;
  /** A copy of the store as it is at one moment, as a file's content. */
  backup(signal: AbortSignal): AsyncIterable<Uint8Array>;
}
