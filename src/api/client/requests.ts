import { WeftError } from "../../core/errors.ts";
import type {
  Filters,
  NetworkConnect,
  NetworkCreateInput,
  NetworkDisconnectInput,
  PlanRequest,
  ProcessIdentity,
  SandboxCreateInput,
} from "../schema/index.ts";

/** A request as a value, before it is sent. */
export interface ApiRequest {
  readonly Method: "GET" | PlanRequest["Method"];
  /** With its query. */
  readonly Path: string;
  readonly Body?: unknown;
}

/** A request that changes something; POST /v1/plan takes it as it is, to say what it would change. */
export type ChangeRequest = PlanRequest;

/**
 * The requests that change something, one a method of WeftClient: `client.plan(changes.removeNetwork("web"))`
 * tells what `client.removeNetwork("web")` would do.
 */
export const changes = {
  createNetwork: (body: NetworkCreateInput) => post("/v1/networks", body),
  removeNetwork: (network: string): ChangeRequest => ({ Method: "DELETE", Path: networkPath(network) }),
  pruneNetworks: (filters: Filters = {}) => post(withQuery("/v1/networks/prune", { filters })),
  connect: (network: string, body: NetworkConnect) => post(`${networkPath(network)}/connect`, body),
  disconnect: (network: string, body: NetworkDisconnectInput) =>
    post(`${networkPath(network)}/disconnect`, body),

  createSandbox: (body: SandboxCreateInput, { start = false }: { readonly start?: boolean } = {}) =>
    post(withQuery("/v1/sandboxes", { start }), body),
  removeSandbox: (sandbox: string, { force = false }: { readonly force?: boolean } = {}): ChangeRequest => ({
    Method: "DELETE",
    Path: withQuery(sandboxPath(sandbox), { force }),
  }),
  startSandbox: (sandbox: string) => post(`${sandboxPath(sandbox)}/start`),
  stopSandbox: (sandbox: string, options: StopOptions = {}) =>
    post(withQuery(`${sandboxPath(sandbox)}/stop`, { timeout: options.timeout })),
  killSandbox: (sandbox: string, options: { readonly signal?: string } = {}) =>
    post(withQuery(`${sandboxPath(sandbox)}/kill`, { signal: options.signal })),
  restartSandbox: (sandbox: string, options: StopOptions = {}) =>
    post(withQuery(`${sandboxPath(sandbox)}/restart`, { timeout: options.timeout })),
  enterSandbox: (sandbox: string) => post(`${sandboxPath(sandbox)}/enter`),
  claimProcess: (sandbox: string, process: ProcessIdentity): ChangeRequest => ({
    Method: "PUT",
    Path: `${sandboxPath(sandbox)}/process`,
    Body: process,
  }),
  tellExit: (sandbox: string, process: ProcessIdentity, status: number) =>
    post(`${sandboxPath(sandbox)}/exit`, { Process: process, StatusCode: status }),

  repair: () => post("/v1/repair"),
} as const;

/** How a command is to be ended. */
export interface StopOptions {
  /** Seconds until SIGKILL; the sandbox's own without. */
  readonly timeout?: number | undefined;
}

/** `/v1/networks/NAME`. Throws INVALID_NAME for what no path can hold. */
export function networkPath(reference: string): string {
  return `/v1/networks/${segment(reference)}`;
}

/** `/v1/sandboxes/NAME`. Throws INVALID_NAME for what no path can hold. */
export function sandboxPath(reference: string): string {
  return `/v1/sandboxes/${segment(reference)}`;
}

/** `path` with those of `words` that say anything: not undefined, not false, no empty filters. */
export function withQuery(
  path: string,
  words: Readonly<Record<string, string | number | boolean | Filters | undefined>>,
): string {
  const query: string[] = [];
  for (const [key, value] of Object.entries(words)) {
    if (value === undefined || value === false) continue;
    if (typeof value !== "object") query.push(`${key}=${encodeURIComponent(value)}`);
    else if (Object.keys(value).length > 0) query.push(`${key}=${encodeURIComponent(JSON.stringify(value))}`);
  }
  return query.length === 0 ? path : `${path}?${query.join("&")}`;
}

function post(path: string, body?: unknown): ChangeRequest {
  return body === undefined ? { Method: "POST", Path: path } : { Method: "POST", Path: path, Body: body };
}

/** Empty and dotted segments change what a path means, also when they are escaped (WHATWG URL). */
function segment(reference: string): string {
  if (reference === "" || reference === "." || reference === "..")
    throw new WeftError(
      "INVALID_NAME",
      `invalid reference ${JSON.stringify(reference)}: it should be a name, an id, or the beginning of an id`,
    );
  return encodeURIComponent(reference);
}
