import {
  type Clock,
  type Events,
  type Id,
  type IpAddress,
  isWeftError,
  type KeyedLock,
  type Random,
  WeftError,
} from "../core/index.ts";
import type { Driver, DriverOptions } from "../drivers/index.ts";
import type { ForeignChain, HostFacts } from "../facts/index.ts";
import type { IpamDriver, PoolId, PoolStatus } from "../ipam/index.ts";
import type { Changes, OwnerId, Reconciler } from "../plan/index.ts";
import type { HostPorts } from "../ports/index.ts";
import type { Background } from "./background.ts";
import type { ControllerEvent } from "./controller-event.ts";
import { type Attachment, inGatewayOrder } from "./gateway-order.ts";
import type { LazyStore } from "./lazy-store.ts";
import { bindingsInForce, type LostPorts } from "./lost-ports.ts";
import type { Operations } from "./operations.ts";
import type { Paths } from "./paths.ts";
import { planSandbox, sandboxOwner } from "./plans.ts";
import { planPorts } from "./port-plan.ts";
import type { NetworkRecord, SandboxRecord } from "./records.ts";
import type { Tables } from "./tables.ts";

/** What was found last of other people's firewalls. */
export interface OtherFirewalls {
  /** Base chains that judge what the host forwards. */
  chains: readonly ForeignChain[];
  /** The sysctls of br_netfilter, when nobody but weft could need it. */
  idleBridgeNetfilter: readonly string[];
  /** Who wants something of the host for that, and whose wish was refused and told. */
  readonly owners: Set<OwnerId>;
  readonly refused: Set<OwnerId>;
}

/** What all of the model's operations work with. */
export interface Context {
  readonly store: LazyStore;
  readonly tables: Tables;
  readonly reconciler: Reconciler;
  readonly drivers: ReadonlyMap<string, Driver>;
  readonly ipamDrivers: ReadonlyMap<string, IpamDriver>;
  /** What is taken of a pool; undefined for IPAM drivers that do not tell. */
  readonly poolUsage: (ipamDriver: string, poolId: PoolId) => PoolStatus | undefined;
  readonly facts: HostFacts;
  readonly paths: Paths;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: Events<ControllerEvent>;
  readonly locks: KeyedLock;
  readonly operations: Operations;
  readonly background: Background;
  readonly otherFirewalls: OtherFirewalls;
  readonly keepBridgeNetfilter: boolean;
  readonly defaultNetworkOptions: Readonly<Record<string, DriverOptions>>;
  readonly hostGatewayAddresses: readonly IpAddress[];
  readonly hostPorts: HostPorts;
  readonly lostPorts: LostPorts;
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
  const ports = planPorts(
    sandbox,
    bindingsInForce(context.lostPorts, sandbox),
    inGatewayOrder(attachments),
    ({ driver }) => context.drivers.get(driver),
  );
  const plan = planSandbox(context.paths, sandbox, attachments, { hasNames, ports });
  return new Map([[sandboxOwner(sandbox.id), plan]]);
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
    await context.background.current();
    return await allocate();
  }
}

/**
 * Takes down what owners give up. There is no way back once that is recorded, so whatever goes wrong is
 * told through the promise that this gives, which resolves when all of it is out of the kernel.
 */
export async function takeDown(
  context: Context,
  changes: Changes,
): Promise<{ readonly removed: Promise<void> }> {
  try {
    return await context.reconciler.takeDown(changes);
  } catch (error) {
    const removed = Promise.reject(error);
    removed.catch(() => {}); // whoever waits for it hears of it
    return { removed };
  }
}

/** Resolves when `first` has and all that was taken down is out of the kernel; rejects when some of it stays. */
export function removedAfter(
  first: Promise<void>,
  takenDown: Promise<{ readonly removed: Promise<void> }>,
): Promise<void> {
  const removed = first.then(async () => (await takenDown).removed);
  removed.catch(() => {}); // whoever waits for it hears of it
  return removed;
}

/** Throws ABORTED when the caller has given up already. */
export function refuseIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true)
    throw new WeftError("ABORTED", "the request was given up", { cause: signal.reason });
}

function isShortage(error: unknown): boolean {
  const shortages = [
    "POOL_OVERLAP",
    "POOLS_EXHAUSTED",
    "ADDRESS_IN_USE",
    "NO_AVAILABLE_ADDRESSES",
    "INVALID_POOL",
    "BRIDGE_NAME_IN_USE",
    "PARENT_IN_USE",
    "PARENT_MISSING", // a network on its way out may wait for it
  ];
  return error instanceof WeftError && shortages.includes(error.code);
}

/** True for a refusal after which the kernel still holds something of what was to be made. */
export function staysInKernel(error: unknown): boolean {
  return isWeftError(error, "TEARDOWN");
}
