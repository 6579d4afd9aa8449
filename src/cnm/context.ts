import { type Clock, type Events, type Id, type KeyedLock, type Random, WeftError } from "../core/index.ts";
import type { Driver } from "../drivers/index.ts";
import type { HostFacts } from "../facts/index.ts";
import type { IpamDriver } from "../ipam/index.ts";
import type { Changes, Reconciler } from "../plan/index.ts";
import type { Store, Transaction } from "../store/index.ts";
import type { Attachment } from "./gateway-order.ts";
import type { Paths } from "./paths.ts";
import { planSandbox, sandboxOwner } from "./plans.ts";
import type { NetworkRecord, SandboxRecord } from "./records.ts";
import type { Tables } from "./tables.ts";

/** What a controller tells about what happens by itself. */
export type ControllerEvent =
  /** Something given up could not be taken out of the kernel; it is tried again at the next start. */
  | { readonly event: "removal-failed"; readonly what: string; readonly error: unknown }
  /** A part of the host could not be made what it should be when the controller was opened. */
  | { readonly event: "restore-failed"; readonly what: string; readonly error: unknown }
  | { readonly event: "effect-failed"; readonly what: string; readonly error: unknown }
  | { readonly event: "resolver-crashed"; readonly error: unknown };

/** What all of the model's operations work with. */
export interface Context {
  readonly store: Store;
  readonly tables: Tables;
  readonly reconciler: Reconciler;
  readonly drivers: ReadonlyMap<string, Driver>;
  readonly ipamDrivers: ReadonlyMap<string, IpamDriver>;
  readonly facts: HostFacts;
  readonly paths: Paths;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: Events<ControllerEvent>;
  readonly locks: KeyedLock;
  readonly background: Background;
}

/** Work that goes on after its caller was answered. */
export class Background {
  readonly #running = new Map<string, Promise<unknown>>();
  readonly #events: Events<ControllerEvent>;

  constructor(events: Events<ControllerEvent>) {
    this.#events = events;
  }

  /** Starts `work` under a key that others can wait for; its failure becomes an event. */
  start(key: string, work: () => Promise<void>): void {
    const previous = this.#running.get(key) ?? Promise.resolve();
    const running: Promise<unknown> = previous
      .then(work)
      .catch((error: unknown) => this.#events.emit({ event: "removal-failed", what: key, error }))
      .finally(() => {
        if (this.#running.get(key) === running) this.#running.delete(key);
      });
    this.#running.set(key, running);
  }

  /** Resolves when the work under `key` has ended; at once when there is none. */
  async settled(key: string): Promise<void> {
    await this.#running.get(key);
  }

  /** True while anything goes on. */
  get busy(): boolean {
    return this.#running.size > 0;
  }

  /** Resolves when nothing goes on any more. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }
}

/** The driver of that name. Throws DRIVER_NOT_FOUND. */
export function driverOf(context: Context, name: string): Driver {
  const driver = context.drivers.get(name);
  if (driver === undefined) {
    const known = [...context.drivers.keys()].sort().join(", ");
    throw new WeftError(
      "DRIVER_NOT_FOUND",
      `could not find driver ${JSON.stringify(name)}: there are ${known}`,
    );
  }
  return driver;
}

/** The IPAM driver of that name. Throws DRIVER_NOT_FOUND. */
export function ipamDriverOf(context: Context, name: string): IpamDriver {
  const driver = context.ipamDrivers.get(name);
  if (driver === undefined) {
    const known = [...context.ipamDrivers.keys()].sort().join(", ");
    throw new WeftError(
      "DRIVER_NOT_FOUND",
      `could not find IPAM driver ${JSON.stringify(name)}: there are ${known}`,
    );
  }
  return driver;
}

/** The network of that id. Throws NETWORK_NOT_FOUND when it is not there or on its way out. */
export function networkOf(context: Context, id: Id): NetworkRecord {
  const network = context.tables.networks.get(id);
  if (network === undefined || network.state === "deleting")
    throw new WeftError("NETWORK_NOT_FOUND", `network ${id} not found`);
  return network;
}

/** A sandbox's attachments in the order in which they joined. */
export function attachmentsOf({ tables }: Context, sandbox: Id): readonly Attachment[] {
  return tables.endpointsIn(sandbox).flatMap((endpoint) => {
    const network = tables.networks.get(endpoint.network);
    return network === undefined ? [] : [{ endpoint, network }];
  });
}

/** The change that brings a sandbox's own objects to its present attachments. */
export function sandboxChange(
  context: Context,
  sandbox: SandboxRecord,
  attachments: readonly Attachment[],
): Changes {
  const hasNames = ({ driver }: NetworkRecord) => context.drivers.get(driver)?.capabilities.names === true;
  return new Map([[sandboxOwner(sandbox.id), planSandbox(context.paths, sandbox, attachments, hasNames)]]);
}

/** Writes without waiting: losing it only costs a plan that finds nothing to do. */
export function writeLazily(context: Context, work: (transaction: Transaction) => void): void {
  context.store.transact(work).catch((error: unknown) => {
    // A closed store is no news: the controller closed while the write was on its way.
    if (!(error instanceof WeftError && error.code === "STORE")) throw error;
  });
}

/**
 * Allocates; when that fails while addresses or pools are still on their way back from what was deleted,
 * waits for them and tries once more.
 */
export async function allocateOrWait<T>(context: Context, allocate: () => Promise<T>): Promise<T> {
  try {
    return await allocate();
  } catch (error) {
    if (!context.background.busy || !isShortage(error)) throw error;
    await context.background.idle();
    return await allocate();
  }
}

function isShortage(error: unknown): boolean {
  const shortages = [
    "POOL_OVERLAP",
    "POOLS_EXHAUSTED",
    "ADDRESS_IN_USE",
    "NO_AVAILABLE_ADDRESSES",
    "INVALID_POOL",
  ];
  return error instanceof WeftError && shortages.includes(error.code);
}
