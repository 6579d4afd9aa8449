import type { Id } from "../core/index.ts";
import type { Changes, Synced, SyncOptions, Wanted } from "../plan/index.ts";
import { attachmentsOf, type Context } from "./context.ts";
import { type Attachment, inGatewayOrder } from "./gateway-order.ts";
import { endEndpoint } from "./leave-operations.ts";
import { endNetwork } from "./network-operations.ts";
import { endpointOwner, networkOwner, sandboxOwner } from "./plans.ts";
import { planPorts } from "./port-plan.ts";
import type { EndpointRecord, NetworkRecord, SandboxRecord } from "./records.ts";
import { endpointPlan, networkPlan, sandboxPlan } from "./restore-plans.ts";
import { endSandbox } from "./sandbox-operations.ts";

/** The lock of whoever brings the whole host to what the records say: a start, a repair, one at a time. */
export const hostLock = "host";

/** Something that is being deleted, or leaves its sandbox. */
interface Departure {
  /** Whose it is, and under which keys of the background somebody works on it. */
  readonly owners: readonly string[];
  /** What they wanted while it was there. */
  readonly wanted: Changes;
  /** Ends it in the background, once it is out of the kernel. */
  readonly end: (removed: Promise<void>) => void;
}

/** A sync that also took up what nobody worked on any more. */
export interface Resumed extends Synced {
  /** Keys of the background under which deletions and leaves are ended now. */
  readonly ending: readonly string[];
}

/**
 * Makes the host what the records say, and takes up again the deletions and leaves that nobody works on: a
 * crash cut them off, or the kernel or a driver refused. One at a time, and never while a start is under way.
 */
export async function resume(context: Context, options: Pick<SyncOptions, "again"> = {}): Promise<Resumed> {
  const departures = departuresOf(context).filter(({ owners }) =>
    owners.every((owner) => !context.background.has(owner)),
  );
  const givenUp = departures.map(({ wanted }) => wanted);
  const synced = await context.reconciler.sync({ ...options, givenUp });
  for (const [i, { end }] of departures.entries()) {
    const applied = synced.takenDown[i];
    if (applied !== undefined) end(applied.removed);
  }
  return { ...synced, ending: departures.flatMap(({ owners }) => owners) };
}

/** In the order in which they are to be ended: a network after what was in it. */
function departuresOf(context: Context): readonly Departure[] {
  const { networks, endpoints, sandboxes } = context.tables;
  const alone: EndpointRecord[] = [];
  const together = new Map<Id, EndpointRecord[]>();
  for (const sandbox of sandboxes.all()) if (sandbox.state === "deleting") together.set(sandbox.id, []);
  for (const endpoint of endpoints.all()) {
    if (endpoint.state !== "deleting" && endpoint.join?.leaving !== true) continue;
    const group = endpoint.join === undefined ? alone : (together.get(endpoint.join.sandbox) ?? alone);
    group.push(endpoint);
  }
  return [
    ...alone.map((endpoint) => endpointDeparture(context, endpoint)),
    ...[...together].flatMap(([id, own]) => {
      const sandbox = sandboxes.get(id);
      return sandbox === undefined ? [] : [sandboxDeparture(context, sandbox, own)];
    }),
    ...[...networks.all()]
      .filter(({ state }) => state === "deleting")
      .map((network) => networkDeparture(context, network)),
  ];
}

function endpointDeparture(context: Context, endpoint: EndpointRecord): Departure {
  const owner = endpointOwner(endpoint.id);
  const wanted = [
    ...former(() => endpointPlan(context, endpoint)),
    ...former(() => publishedBefore(context, endpoint)),
  ];
  return {
    owners: [owner],
    wanted: new Map([[owner, wanted]]),
    end: (removed) => endEndpoint(context, endpoint.id, removed),
  };
}

/** What the sandbox that an endpoint leaves wanted for its published ports while the endpoint was in it. */
function publishedBefore(context: Context, endpoint: EndpointRecord): readonly Wanted[] {
  const { join } = endpoint;
  const network = context.tables.networks.get(endpoint.network);
  const sandbox = join === undefined ? undefined : context.tables.sandboxes.get(join.sandbox);
  if (join?.published === undefined || network === undefined || sandbox === undefined) return [];
  const attachments = inGatewayOrder([...attachmentsOf(context, sandbox.id), { endpoint, network }]);
  return planPorts(sandbox, join.published, attachments, ({ driver }) => context.drivers.get(driver));
}

function sandboxDeparture(
  context: Context,
  sandbox: SandboxRecord,
  endpoints: readonly EndpointRecord[],
): Departure {
  const attachments = endpoints.flatMap((endpoint): Attachment[] => {
    const network = context.tables.networks.get(endpoint.network);
    return network === undefined || endpoint.state !== "deleting" ? [] : [{ endpoint, network }];
  });
  const ids = endpoints.map(({ id }) => id);
  const wanted = new Map([
    [sandboxOwner(sandbox.id), former(() => sandboxPlan(context, sandbox, attachments))],
  ]);
  for (const endpoint of endpoints)
    wanted.set(
      endpointOwner(endpoint.id),
      former(() => endpointPlan(context, endpoint)),
    );
  return {
    owners: [...wanted.keys()],
    wanted,
    end: (removed) => endSandbox(context, sandbox.id, ids, removed),
  };
}

function networkDeparture(context: Context, network: NetworkRecord): Departure {
  const owner = networkOwner(network.id);
  return {
    owners: [owner],
    wanted: new Map([[owner, former(() => networkPlan(context, network))]]),
    end: (removed) => endNetwork(context, network.id, removed),
  };
}

/** What was planned. A plan is a function of records: what none can be made of now, none was made of then. */
function former(plan: () => readonly Wanted[]): readonly Wanted[] {
  try {
    return plan();
  } catch {
    return [];
  }
}
