import { type Id, newId, parseAddress, WeftError } from "../core/index.ts";
import type { Wanted } from "../plan/index.ts";
import { type PortSpec, parseExposed, parsePortSpecs } from "../ports/index.ts";
import { connectSandbox } from "./connect-operations.ts";
import {
  attachmentsOf,
  type Context,
  networkOf,
  refuseIfAborted,
  removedAfter,
  sandboxChange,
  staysInKernel,
  takeDown,
} from "./context.ts";
import { checkEndpoint, type EndpointOptions } from "./endpoint-operations.ts";
import { extraHostsOf } from "./extra-hosts.ts";
import { inGatewayOrder } from "./gateway-order.ts";
import { checkJoin, type JoinOptions, type OtherJoin, sandboxOf, withName } from "./join-operations.ts";
import { endEndpoint } from "./leave-operations.ts";
import { checkHostname, checkName, checkResolverWord } from "./names.ts";
import { endpointOwner, networkOwner, sandboxOwner } from "./plans.ts";
import type { EndpointRecord, SandboxRecord } from "./records.ts";
import { inWords } from "./refused-by-kernel.ts";
import { sandboxSysctls } from "./sysctl-options.ts";
import { moveGateway } from "./way-out.ts";

/** How a sandbox is to be; everything may be left out. */
export interface SandboxOptions {
  readonly hostname?: string;
  readonly domainName?: string;
  /**
   * Lines for its hosts file: addresses by name, or `host-gateway` for the host's own as the network bridge has
   * them.
   */
  readonly extraHosts?: Readonly<Record<string, string | readonly string[]>>;
  /** Sysctls of its own network namespace, by their names with dots: `net.ipv4.ip_unprivileged_port_start`. */
  readonly sysctls?: Readonly<Record<string, string>>;
  /** Name servers, search domains and resolver options in place of the host's. */
  readonly dns?: readonly string[];
  readonly dnsSearch?: readonly string[];
  readonly dnsOptions?: readonly string[];
  /** Ports to publish, as Docker writes them: `8080:80`, `127.0.0.1::53/udp`, `[::1]:8000-8010:80`. */
  readonly ports?: readonly string[];
  /** Ports that the container says it listens on, `80/tcp`; `publishAll` publishes them on ports of the host's choice. */
  readonly exposedPorts?: readonly string[];
  readonly publishAll?: boolean;
  /** Live in the host's own namespace, as the host network needs it. */
  readonly hostNetns?: boolean;
  /** A network namespace that is there already, `/proc/PID/ns/net`; a new one is made without. */
  readonly netnsPath?: string;
  readonly signal?: AbortSignal;
}

/** The port at 127.0.0.11 that a sandbox's resolver listens on; above the ports that programs get by chance. */
const resolverPort = 61053;

/** Makes a sandbox: its namespace and its files. Throws as {@link createSandbox}. */
async function createUnconnected(
  context: Context,
  containerId: string,
  options: SandboxOptions,
): Promise<SandboxRecord> {
  refuseIfAborted(options.signal);
  checkName("container", containerId);
  await untilLeft(context, options.netnsPath);
  const draft = draftSandbox(context, containerId, options);
  context.tables.claimContainer(containerId, draft.id);
  context.tables.sandboxes.set(draft); // seen from now on by whoever asks for the same namespace
  return context.locks.run(sandboxOwner(draft.id), async () => {
    let committed = false;
    try {
      await context.store.transact((transaction) => context.tables.sandboxes.put(transaction, draft));
      committed = true;
      await context.reconciler.change(sandboxChange(context, draft, []));
    } catch (error) {
      context.tables.freeContainer(containerId, draft.id);
      if (!committed) context.tables.sandboxes.remove(draft.id);
      else {
        context.background.start(sandboxOwner(draft.id), () => giveUpSandbox(context, draft, error));
        await context.background.settled(sandboxOwner(draft.id));
      }
      throw error;
    }
    return markReady(context, draft);
  });
}

function draftSandbox(context: Context, containerId: string, options: SandboxOptions): SandboxRecord {
  const { hostname = "", domainName = "", hostNetns = false, netnsPath } = options;
  checkHostname("hostname", hostname);
  checkHostname("domain name", domainName);
  if (hostNetns && netnsPath !== undefined) {
    throw new WeftError(
      "INVALID_OPTION",
      "a sandbox lives in the host's namespace or in one given by path, not in both",
    );
  }
  const extraHosts = extraHostsOf(context, options.extraHosts ?? {});
  const sysctls = sandboxSysctls(options.sysctls ?? {}, { hostNetns, foreign: netnsPath !== undefined });
  for (const domain of options.dnsSearch ?? []) checkResolverWord("search domain", domain);
  for (const option of options.dnsOptions ?? []) checkResolverWord("resolver option", option);
  return {
    id: newId(context.random),
    containerId,
    state: "creating",
    hostname,
    domainName,
    hostNetns,
    externalNetns: netnsPath,
    externalIdentity: netnsPath === undefined ? undefined : unusedNetns(context, netnsPath),
    sysctls,
    extraHosts,
    dns: (options.dns ?? []).map(parseAddress),
    dnsSearch: [...(options.dnsSearch ?? [])],
    dnsOptions: [...(options.dnsOptions ?? [])],
    hostResolvConf: context.facts.resolvConf(),
    ipv6: context.facts.sysctl("net/ipv6/conf/all/forwarding") !== undefined,
    ports: wantedPorts(options),
    bindings: [],
    dnsPort: resolverPort,
  };
}

/**
 * Waits until nothing of a sandbox that was deleted is in the namespace any more: weft has one table there,
 * which would be taken for the new one's. Throws SANDBOX_EXISTS when it cannot be taken out, and KERNEL when
 * there is no namespace.
 */
async function untilLeft({ background, facts, tables }: Context, path: string | undefined): Promise<void> {
  if (path === undefined) return;
  const identity = facts.netnsIdentity(path);
  const deleted = [...tables.sandboxes.all()].filter(
    ({ state, externalIdentity }) => state === "deleting" && externalIdentity === identity,
  );
  for (const { id, containerId } of deleted) {
    await background.settled(sandboxOwner(id));
    if (tables.sandboxes.get(id) === undefined) continue;
    throw new WeftError(
      "SANDBOX_EXISTS",
      `sandbox ${containerId}, which was deleted, could not be taken out of the namespace at ${path}: repair() tries it again`,
    );
  }
}

/** The identity of a namespace that no other sandbox is in. Throws SANDBOX_EXISTS, and KERNEL when there is none. */
function unusedNetns(context: Context, path: string): string {
  const identity = context.facts.netnsIdentity(path);
  const user = [...context.tables.sandboxes.all()].find(
    (sandbox) => sandbox.state !== "deleting" && identityOf(context, sandbox) === identity,
  );
  if (user !== undefined) {
    throw new WeftError(
      "SANDBOX_EXISTS",
      `sandbox ${user.containerId} is in the namespace at ${path} already: one namespace is one sandbox`,
    );
  }
  return identity;
}

/** The identity of a sandbox's namespace; undefined while it has none, and when that is the host's. */
function identityOf({ facts, paths }: Context, sandbox: SandboxRecord): string | undefined {
  if (sandbox.hostNetns || sandbox.externalIdentity !== undefined) return sandbox.externalIdentity;
  try {
    return facts.netnsIdentity(paths.netns(sandbox.id));
  } catch {
    return undefined; // not made yet
  }
}

/** What is to be published: what was named, and what is exposed besides. Throws INVALID_PORT. */
function wantedPorts({
  ports = [],
  exposedPorts = [],
  publishAll = false,
}: SandboxOptions): readonly PortSpec[] {
  const named = parsePortSpecs(ports);
  const exposed = exposedPorts.flatMap(parseExposed);
  if (!publishAll) return named;
  const open = new Set(named.map(({ protocol, port }) => `${port}/${protocol}`));
  return [...named, ...exposed.filter(({ protocol, port }) => !open.has(`${port}/${protocol}`))];
}

/** An endpoint that a sandbox is made with. */
export interface InitialEndpoint extends EndpointOptions, Omit<JoinOptions, "signal"> {
  /** The network's id. */
  readonly network: Id;
  /** The endpoint's name; the container's without. */
  readonly name?: string;
}

/**
 * Makes a sandbox with its endpoints, the first of them in the sandbox's own commit; when one of them
 * cannot be, the sandbox is deleted again and the reason is thrown: SANDBOX_EXISTS, INVALID_NAME, INVALID_ADDRESS,
 * INVALID_OPTION, KERNEL, and what networks refuse. Then nothing of it is left.
 */
export async function createSandbox(
  context: Context,
  containerId: string,
  options: SandboxOptions,
  endpoints: readonly InitialEndpoint[],
): Promise<SandboxRecord> {
  try {
    return endpoints.length === 0
      ? await createUnconnected(context, containerId, options)
      : await createConnected(context, containerId, options, endpoints);
  } catch (error) {
    throw inWords(error, options);
  }
}

async function createConnected(
  context: Context,
  containerId: string,
  options: SandboxOptions,
  endpoints: readonly InitialEndpoint[],
): Promise<SandboxRecord> {
  refuseIfAborted(options.signal);
  checkName("container", containerId);
  await untilLeft(context, options.netnsPath);
  const draft = draftSandbox(context, containerId, options);
  context.tables.claimContainer(containerId, draft.id);
  context.tables.sandboxes.set(draft);
  try {
    for (const { network, name, ...rest } of endpoints) {
      await connectSandbox(context, {
        network,
        sandbox: draft.id,
        name: name ?? containerId,
        options: rest,
        sandboxIs: "made with it",
      });
    }
  } catch (error) {
    await takeBack(context, draft);
    throw error;
  }
  return markReady(context, sandboxOf(context, draft.id));
}

/** Deletes a sandbox that could not be made with all its endpoints; of one that was never recorded, it forgets the draft. */
async function takeBack(context: Context, { id, containerId }: SandboxRecord): Promise<void> {
  const { tables, background, locks } = context;
  try {
    const isDone = await locks.run(sandboxOwner(id), async () => {
      const there = tables.sandboxes.get(id);
      if (there === undefined || there.state === "deleting") return true; // somebody else did
      if (tables.sandboxes.isIn(context.store, id) || tables.endpointsIn(id).length > 0) return false;
      tables.freeContainer(containerId, id);
      tables.sandboxes.remove(id);
      return true;
    });
    if (!isDone) await deleteSandbox(context, id);
  } catch (error) {
    tellRemoval(context, id, error);
  }
  await background.settled(sandboxOwner(id));
}

/**
 * Refuses what {@link createSandbox} would refuse for what was asked: what can be said without giving out an address
 * or a port, or asking the kernel for a change. Nothing is kept of it. Throws as createSandbox.
 */
export function checkSandbox(
  context: Context,
  containerId: string,
  options: SandboxOptions,
  endpoints: readonly InitialEndpoint[],
): void {
  checkName("container", containerId);
  try {
    const draft = draftSandbox(context, containerId, options);
    const others: OtherJoin[] = [];
    for (const { network: id, name = containerId, ...endpoint } of endpoints) {
      const network = networkOf(context, id);
      const join = withName(endpoint, endpoint.options ?? {});
      checkJoin(context, network, draft, others, join);
      checkEndpoint(context, network, name, endpoint);
      others.push({ network, ifname: join.interfaceName });
    }
  } catch (error) {
    throw inWords(error, options);
  }
}

function markReady(context: Context, sandbox: SandboxRecord): SandboxRecord {
  const ready: SandboxRecord = { ...sandbox, state: "ready" };
  context.tables.sandboxes.set(ready);
  context.store.later((transaction) => context.tables.sandboxes.putReady(transaction, ready.id));
  return ready;
}

/**
 * Deletes a sandbox with all of its endpoints. They are gone for everybody when this resolves; the
 * namespace is removed in the background. There is no giving it up: a deletion that is recorded is carried
 * out, by the next start if need be. Throws SANDBOX_NOT_FOUND.
 */
export function deleteSandbox(context: Context, id: Id): Promise<void> {
  return withAllLocks(context, id, async (endpoints) => {
    const sandbox: SandboxRecord = { ...sandboxOf(context, id), state: "deleting" };
    const former = inGatewayOrder(attachmentsOf(context, id));
    const leaving = endpoints.map(
      (endpoint): EndpointRecord => ({
        ...endpoint,
        state: "deleting",
        join: endpoint.join === undefined ? undefined : { ...endpoint.join, leaving: true },
      }),
    );
    await context.store.transact((transaction) => {
      context.tables.sandboxes.put(transaction, sandbox);
      for (const endpoint of leaving) context.tables.endpoints.put(transaction, endpoint);
    });
    context.tables.sandboxes.set(sandbox);
    context.lostPorts.delete(id);
    context.tables.freeContainer(sandbox.containerId, id);
    for (const endpoint of leaving) {
      context.tables.setEndpoint(endpoint);
      context.tables.freeEndpointName(endpoint.network, endpoint.name);
    }
    const changes = new Map<string, readonly Wanted[]>([[sandboxOwner(id), []]]);
    for (const endpoint of leaving) changes.set(endpointOwner(endpoint.id), []);
    const takenDown = takeDown(context, changes);
    // Before the drivers hear of the leave.
    const withdrawn = takenDown
      .then(() => moveGateway(context, former, []))
      .catch((error: unknown) => tellRemoval(context, id, error));
    const ids = leaving.map((endpoint) => endpoint.id);
    endSandbox(context, id, ids, removedAfter(withdrawn, takenDown));
    await withdrawn;
  });
}

/** Takes the locks of a sandbox's networks, in the order of their ids, and then its own. */
function withAllLocks(
  context: Context,
  id: Id,
  work: (endpoints: readonly EndpointRecord[]) => Promise<void>,
): Promise<void> {
  const networks = [...new Set(context.tables.endpointsIn(id).map(({ network }) => network))].sort();
  const inner = () =>
    context.locks.run(sandboxOwner(id), async () => {
      const endpoints = context.tables.endpointsIn(id);
      const unlocked = endpoints.some(({ network }) => !networks.includes(network));
      if (unlocked) return "again";
      await work(endpoints);
      return "done";
    });
  const take = (rest: readonly Id[]): Promise<"done" | "again"> => {
    const [network, ...others] = rest;
    return network === undefined ? inner() : context.locks.run(networkOwner(network), () => take(others));
  };
  // A network that the sandbox joined meanwhile has a lock that is not held yet.
  return take(networks).then((outcome) =>
    outcome === "again" ? withAllLocks(context, id, work) : undefined,
  );
}

/**
 * Ends in the background the deletion of a sandbox and of its endpoints. `removed` resolves when all of it is
 * out of the kernel. From here on somebody works on it.
 */
export function endSandbox(context: Context, id: Id, endpoints: readonly Id[], removed: Promise<void>): void {
  for (const endpoint of endpoints) endEndpoint(context, endpoint, removed);
  context.background.start(sandboxOwner(id), async () => {
    await removed;
    await eraseSandbox(context, id);
  });
}

/** Forgets a sandbox that could not be made, or leaves it to a repair or the next start while the kernel holds a part of it. */
async function giveUpSandbox(context: Context, draft: SandboxRecord, why: unknown): Promise<void> {
  const deleting: SandboxRecord = { ...draft, state: "deleting" };
  context.tables.sandboxes.set(deleting);
  if (!staysInKernel(why)) return eraseSandbox(context, draft.id);
  await context.store.transact((transaction) => context.tables.sandboxes.put(transaction, deleting));
}

async function eraseSandbox({ store, tables }: Context, id: Id): Promise<void> {
  await store.transact((transaction) => tables.sandboxes.delete(transaction, id));
  tables.sandboxes.remove(id);
}

function tellRemoval(context: Context, id: Id, error: unknown): void {
  context.events.emit({ event: "removal-failed", what: sandboxOwner(id), error });
}
