import { type Id, WeftError } from "../core/index.ts";
import type { Driver, JoinAnswer } from "../drivers/index.ts";
import { isKernelError } from "../kernel/index.ts";
import type { Changes, Wanted } from "../plan/index.ts";
import type { Transaction } from "../store/index.ts";
import { ahead } from "./ahead.ts";
import { followFactsOf } from "./changed-facts.ts";
import { guardOf, probedLink, refuseHeldAddresses } from "./conflict-probe.ts";
import {
  attachmentsOf,
  type Context,
  driverOf,
  networkOf,
  refuseIfAborted,
  sandboxChange,
  staysInKernel,
  takeDown,
} from "./context.ts";
import { callDriver, checkedJoinAnswer } from "./driver-calls.ts";
import { driverEndpoint, driverNetwork, sandboxNetns } from "./driver-views.ts";
import { endpointOf } from "./endpoint-operations.ts";
import { type Attachment, inGatewayOrder } from "./gateway-order.ts";
import { forgetOtherLosses } from "./lost-ports.ts";
import { checkInterfaceName, checkName, freeInterfaceName } from "./names.ts";
import { endpointOwner, networkOwner, planEndpoint, sandboxOwner } from "./plans.ts";
import { type Rebound, rebind } from "./port-bindings.ts";
import type { EndpointRecord, JoinRecord, NetworkRecord, SandboxRecord } from "./records.ts";
import { endpointOption } from "./sysctl-options.ts";
import { aboutToBeTold, moveGateway } from "./way-out.ts";

/** How an endpoint joins a sandbox. */
export interface JoinOptions {
  /** The highest of a sandbox's endpoints is its way out; 0. */
  readonly priority?: number;
  /** The interface's whole name in the sandbox; the driver's prefix and a number without. */
  readonly interfaceName?: string;
  /**
   * Names of the sandbox's own for others of the network, as `--link` makes them: alias, and the name that
   * it stands for. The other need not be there yet.
   */
  readonly links?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/**
 * Puts an endpoint into a sandbox: its interface is there, its addresses answer and its names are known
 * when this resolves. Throws ENDPOINT_JOINED, INTERFACE_NAME_IN_USE, ADDRESS_CONFLICT and what the driver and the
 * kernel refuse; then the endpoint is in no sandbox, as before.
 */
export async function joinSandbox(
  context: Context,
  endpoint: Pick<EndpointRecord, "id" | "network">,
  sandbox: Id,
  options: JoinOptions,
): Promise<void> {
  const { network } = endpoint;
  const following = followFactsOf(context, network);
  if (following !== undefined) await following;
  const link = await locked(context, network, sandbox, async () => {
    const joining = await checkedJoin(context, endpoint, sandbox, options);
    const probed = probedLink(context, joining.network);
    if (probed === undefined) await attachRecorded(context, joining);
    return probed;
  });
  if (link === undefined) return;
  const asked = endpointOf(context, endpoint.id);
  await refuseHeldAddresses(context, link, asked, options.signal);
  const guard = guardOf(context, link, asked);
  try {
    await locked(context, network, sandbox, async () => {
      guard.check();
      await attachRecorded(context, await checkedJoin(context, endpoint, sandbox, options));
    });
  } finally {
    guard.end();
  }
}

/** A recorded endpoint that may join a sandbox. */
interface Joining {
  readonly network: NetworkRecord;
  readonly endpoint: EndpointRecord;
  readonly sandbox: SandboxRecord;
  readonly options: JoinOptions;
}

/** What is to be joined, as it is now; the network's and the sandbox's locks are held. Throws ENDPOINT_JOINED and as {@link checkJoin}. */
async function checkedJoin(
  context: Context,
  { id }: Pick<EndpointRecord, "id">,
  sandboxId: Id,
  options: JoinOptions,
): Promise<Joining> {
  const record = endpointOf(context, id);
  if (record.join?.leaving === true) await context.background.settled(endpointOwner(record.id));
  const network = networkOf(context, record.network);
  const endpoint = endpointOf(context, id);
  const sandbox = sandboxOf(context, sandboxId);
  if (endpoint.join !== undefined) {
    throw new WeftError(
      "ENDPOINT_JOINED",
      `another container is attached to the same network endpoint ${endpoint.name}`,
    );
  }
  const join = withName(options, endpoint.options);
  checkJoin(context, network, sandbox, otherJoins(context, sandbox), join);
  return { network, endpoint, sandbox, options: join };
}

function attachRecorded(
  context: Context,
  { network, endpoint, sandbox, options }: Joining,
): Promise<unknown> {
  return attach(context, network, endpoint, sandbox, options, (transaction, joined, bound) => {
    if (bound !== sandbox) context.tables.sandboxes.put(transaction, bound);
    context.tables.endpoints.put(transaction, joined);
  });
}

/** The interface's name may be named for the join, or once for all of the endpoint's joins. */
export function withName(join: JoinOptions, endpoint: EndpointRecord["options"]): JoinOptions {
  const name = join.interfaceName ?? endpoint[endpointOption.ifname];
  return name === undefined ? join : { ...join, interfaceName: name };
}

/** The network's lock, and within it the sandbox's; everybody takes them in this order. */
export function locked<T>(context: Context, network: Id, sandbox: Id, work: () => Promise<T>): Promise<T> {
  return context.locks.run(networkOwner(network), () => context.locks.run(sandboxOwner(sandbox), work));
}

/** The sandbox of that id. Throws SANDBOX_NOT_FOUND when it is not there or on its way out. */
export function sandboxOf({ tables }: Context, id: Id): SandboxRecord {
  const sandbox = tables.sandboxes.get(id);
  if (sandbox === undefined || sandbox.state === "deleting")
    throw new WeftError("SANDBOX_NOT_FOUND", `sandbox ${id} not found`);
  return sandbox;
}

/** Writes an endpoint that joins a sandbox, and that sandbox's record as it is with it. */
export type WriteJoined = (transaction: Transaction, joined: EndpointRecord, bound: SandboxRecord) => void;

/**
 * Joins, commits what `write` writes, and applies. When it fails, the endpoint is in no sandbox, as before, and when
 * the sandbox was being made with it, as `first` says, nothing of that is left in the kernel either.
 */
export async function attach(
  context: Context,
  network: NetworkRecord,
  endpoint: EndpointRecord,
  sandbox: SandboxRecord,
  options: JoinOptions,
  write: WriteJoined,
  first = false,
): Promise<EndpointRecord> {
  const driver = driverOf(context, network.driver);
  const others = attachmentsOf(context, sandbox.id);
  const place = {
    sandbox: sandbox.id,
    order: nextOrder(context, sandbox.id),
    priority: options.priority ?? 0,
    ...linksOf(options),
  };
  let join: JoinRecord = { ...place, ifname: "" };
  let called = false;
  let rebound: Rebound | undefined;
  try {
    // The state stays as it is: it says whether the endpoint was there before the call that a crash cuts off.
    if (driver.capabilities.imperative) {
      const asked = { ...endpoint, join };
      await context.store.transact((transaction) => write(transaction, asked, sandbox));
    }
    called = true;
    const view = { sandboxId: sandbox.id, netns: sandboxNetns(context.paths, sandbox) };
    const ask = () => driver.join(driverNetwork(network), driverEndpoint(endpoint), view, options.signal);
    const answer = checkedJoinAnswer(driver, await callDriver(driver, "join", ask, options.signal));
    join = { ...place, ifname: interfaceName(context, driver, sandbox, options, answer), answer };
    const attached: EndpointRecord = { ...endpoint, state: "creating", join };
    const all = [...others, { endpoint: attached, network }];
    const joined = aboutToBeTold(context, inGatewayOrder(others), inGatewayOrder(all)) ?? attached;
    rebound = await rebind(context, sandbox, all);
    const { sandbox: bound } = rebound;
    const change = () => joinChange(context, driver, others, { endpoint: joined, network }, bound);
    const planned = await context.store.transact((transaction) => {
      write(transaction, joined, bound);
      return ahead(change);
    });
    context.tables.setEndpoint(joined);
    context.tables.sandboxes.set(bound);
    await context.reconciler.change(planned());
    forgetOtherLosses(context.lostPorts, bound);
    await moveGateway(context, inGatewayOrder(others), inGatewayOrder(attachmentsOf(context, sandbox.id)));
  } catch (error) {
    // Before the sandbox gets back the ports that it had: the same sockets may be among them.
    if (!staysInKernel(error)) rebound?.giveUp();
    if (called) {
      const owner = endpointOwner(endpoint.id);
      context.background.start(owner, () =>
        detach(context, network, endpoint, sandbox, { join, first, why: error }),
      );
      await context.background.settled(owner);
    }
    rebound?.giveUp();
    throw inWords(driver, network, endpoint, error);
  }
  const ready: EndpointRecord = { ...endpointOf(context, endpoint.id), state: "ready" };
  context.tables.setEndpoint(ready);
  context.store.later((transaction) => context.tables.endpoints.putReady(transaction, ready.id));
  return ready;
}

/** What the kernel refused, told by the driver if it knows why. */
function inWords(driver: Driver, network: NetworkRecord, endpoint: EndpointRecord, error: unknown): unknown {
  if (!isKernelError(error)) return error;
  return driver.whyRefused?.(driverNetwork(network), driverEndpoint(endpoint), error) ?? error;
}

function linksOf({ links = {} }: JoinOptions): Pick<JoinRecord, "links"> {
  const list = Object.entries(links).map(([alias, name]) => ({ alias, name }));
  return list.length === 0 ? {} : { links: list };
}

function nextOrder(context: Context, sandbox: Id): number {
  const orders = context.tables.endpointsIn(sandbox).map(({ join }) => join?.order ?? 0);
  return Math.max(0, ...orders) + 1;
}

/** A network that a sandbox is on, and the name of its interface there, once it has one. */
export interface OtherJoin {
  readonly network: NetworkRecord;
  readonly ifname: string | undefined;
}

export function otherJoins(context: Context, { id }: SandboxRecord): readonly OtherJoin[] {
  return attachmentsOf(context, id).map(({ network, endpoint }) => ({
    network,
    ifname: endpoint.join?.ifname,
  }));
}

/** Refuses what cannot be before anything is asked for or written. */
export function checkJoin(
  context: Context,
  network: NetworkRecord,
  sandbox: Pick<SandboxRecord, "containerId" | "hostNetns">,
  others: readonly OtherJoin[],
  { interfaceName: wanted, priority = 0, links = {}, signal }: JoinOptions,
): void {
  refuseIfAborted(signal);
  for (const [alias, name] of Object.entries(links)) {
    checkName("alias", alias);
    checkName("container", name);
  }
  const { capabilities } = driverOf(context, network.driver);
  if (others.some((other) => other.network.id === network.id)) {
    throw new WeftError(
      "ENDPOINT_JOINED",
      `sandbox ${sandbox.containerId} is already attached to network ${network.name}`,
    );
  }
  if (capabilities.hostNetns !== sandbox.hostNetns) {
    const words = sandbox.hostNetns
      ? "container sharing network namespace with another container or host cannot be connected to any other network"
      : "cannot connect container to host network - container must be created in host network mode";
    throw new WeftError("INVALID_OPTION", words);
  }
  if (
    others.some((other) => isPrivate(context, other.network)) ||
    (isPrivate(context, network) && others.length > 0)
  ) {
    throw new WeftError(
      "INVALID_OPTION",
      "container cannot be connected to multiple networks with one of the networks in private (none) mode",
    );
  }
  if (!Number.isSafeInteger(priority)) {
    throw new WeftError(
      "INVALID_OPTION",
      `invalid gateway priority ${priority}: it should be a whole number`,
    );
  }
  if (wanted === undefined || !capabilities.needsAddresses) return;
  checkInterfaceName(wanted);
  if (wanted === "lo" || others.some(({ ifname }) => ifname === wanted)) {
    throw new WeftError(
      "INTERFACE_NAME_IN_USE",
      `interface name ${wanted} is taken in sandbox ${sandbox.containerId}`,
    );
  }
}

/** Networks of the driver `null`: a sandbox on one of them is to be on nothing else. */
function isPrivate(context: Context, network: NetworkRecord): boolean {
  const capabilities = context.drivers.get(network.driver)?.capabilities;
  return capabilities !== undefined && !capabilities.needsAddresses && !capabilities.hostNetns;
}

function interfaceName(
  context: Context,
  driver: Driver,
  sandbox: SandboxRecord,
  { interfaceName: wanted }: JoinOptions,
  answer: JoinAnswer,
): string {
  if (!driver.capabilities.needsAddresses) return "";
  const taken = context.tables.endpointsIn(sandbox.id).map(({ join }) => join?.ifname ?? "");
  return wanted ?? freeInterfaceName(answer.interfacePrefix ?? "eth", new Set(taken));
}

/** What a join means for the endpoint and for its sandbox, which `others` are in already. */
function joinChange(
  context: Context,
  driver: Driver,
  others: readonly Attachment[],
  joined: Attachment,
  sandbox: SandboxRecord,
): Changes {
  const { endpoint, network } = joined;
  const changes = new Map(sandboxChange(context, sandbox, [...others, joined]));
  return changes.set(
    endpointOwner(endpoint.id),
    planEndpoint(driver, context.paths, network, endpoint, sandbox),
  );
}

/**
 * Takes a failed join back; what goes wrong in that is told as an event. Then the endpoint stays recorded
 * as leaving, which a repair or the next start ends.
 */
async function detach(
  context: Context,
  network: NetworkRecord,
  endpoint: EndpointRecord,
  sandbox: SandboxRecord,
  { join, first, why }: { readonly join: JoinRecord; readonly first: boolean; readonly why: unknown },
): Promise<void> {
  const driver = driverOf(context, network.driver);
  const { tables, store } = context;
  const leaving: EndpointRecord = { ...endpoint, join: { ...join, leaving: true } };
  tables.setEndpoint(leaving);
  const rebound = tables.sandboxes.get(sandbox.id) !== sandbox;
  tables.sandboxes.set(sandbox);
  let left = leaving;
  const errors: unknown[] = [];
  try {
    // What refused the join may be the sandbox's own, and would refuse this too.
    const changes: Map<string, readonly Wanted[]> = first
      ? new Map([[sandboxOwner(sandbox.id), []]])
      : new Map(sandboxChange(context, sandbox, attachmentsOf(context, sandbox.id)));
    const { removed } = await takeDown(context, changes.set(endpointOwner(endpoint.id), []));
    await removed;
    await callDriver(driver, "leave", () => driver.leave(driverNetwork(network), driverEndpoint(endpoint)));
    if (!staysInKernel(why)) left = endpoint;
  } catch (error) {
    errors.push(error);
  }
  try {
    await store.transact((transaction) => {
      if (tables.endpoints.isIn(transaction, endpoint.id)) tables.endpoints.put(transaction, left);
      if (rebound) tables.sandboxes.put(transaction, sandbox);
    });
  } catch (error) {
    errors.push(error);
  }
  tables.setEndpoint(left);
  for (const error of errors)
    context.events.emit({ event: "removal-failed", what: endpointOwner(endpoint.id), error });
}
