import { type ChangeRequest, changes, type StopOptions, type WeftClient } from "../api/client/index.ts";
import type {
  Created,
  Filters,
  NetworkConnect,
  NetworkCreateInput,
  NetworkDisconnectInput,
  Plan,
  PruneReport,
  SandboxCreateInput,
} from "../api/index.ts";
import { ExitError } from "./failures.ts";
import type { HostChanges } from "./host-changes.ts";

/** Changes that are not made: the daemon is asked what each would do. */
export class PlannedChanges implements HostChanges {
  readonly #client: WeftClient;
  /** What all of them would do, in their order. */
  readonly steps: Plan["Steps"] = [];

  constructor(client: WeftClient) {
    this.#client = client;
  }

  createNetwork(request: NetworkCreateInput): Promise<Created> {
    return this.#try<Created>(changes.createNetwork(request));
  }

  removeNetwork(reference: string): Promise<void> {
    return this.#try<void>(changes.removeNetwork(reference));
  }

  pruneNetworks(filters: Filters = {}): Promise<PruneReport> {
    return this.#try<PruneReport>(changes.pruneNetworks(filters));
  }

  connect(network: string, request: NetworkConnect): Promise<void> {
    return this.#try<void>(changes.connect(network, request));
  }

  disconnect(network: string, request: NetworkDisconnectInput): Promise<void> {
    return this.#try<void>(changes.disconnect(network, request));
  }

  createSandbox(request: SandboxCreateInput, options: { readonly start?: boolean } = {}): Promise<Created> {
    return this.#try<Created>(changes.createSandbox(request, options));
  }

  removeSandbox(reference: string, options: { readonly force?: boolean } = {}): Promise<void> {
    return this.#try<void>(changes.removeSandbox(reference, options));
  }

  startSandbox(reference: string): Promise<void> {
    return this.#try<void>(changes.startSandbox(reference));
  }

  stopSandbox(reference: string, options: StopOptions = {}): Promise<void> {
    return this.#try<void>(changes.stopSandbox(reference, options));
  }

  killSandbox(reference: string, options: { readonly signal?: string } = {}): Promise<void> {
    return this.#try<void>(changes.killSandbox(reference, options));
  }

  restartSandbox(reference: string, options: StopOptions = {}): Promise<void> {
    return this.#try<void>(changes.restartSandbox(reference, options));
  }

  /** What the request would be answered with. Throws what it would be refused with. */
  async #try<Answer>(request: ChangeRequest): Promise<Answer> {
    const { Status, Answer, Steps } = await this.#client.plan(request);
    if (Status >= 400)
      throw new ExitError(1, refusalIn(Answer) ?? `it would be refused with status ${Status}`);
    this.steps.push(...Steps);
    return Answer as Answer; // what the daemon answers this request with, by its schema
  }
}

function refusalIn(answer: unknown): string | undefined {
  if (typeof answer !== "object" || answer === null || !("message" in answer)) return undefined;
  return String(answer.message);
}
