import { hostNetns, type Identity, identityOf, type KernelObject, type Operation } from "../kernel/index.ts";
import type { HeldHandler } from "../plan/index.ts";
import { ephemeralSettings, HostPorts, MemoryPortProxies, MemoryPortSockets } from "../ports/index.ts";
import { MemoryStore } from "../store/index.ts";
import type { Context } from "./context.ts";
import type { ControllerParts } from "./controller-options.ts";
import { portHandler, portsType } from "./held-ports.ts";
import { withoutLeases, withoutWork } from "./twin-drivers.ts";
import { TryoutFacts, TryoutKernel } from "./twin-host.ts";

/** One thing that the twin did to its kernel. */
export interface TwinStep {
  readonly step: "create" | "change" | "delete";
  readonly identity: Identity;
  /** As it came to be; what it was, for a deletion. What lives in it goes along and is not told. */
  readonly object: KernelObject;
  /** What a change took the place of. */
  readonly former?: KernelObject;
}

/** The parts of a twin: records and beliefs of a controller on a store, a kernel and ports in memory. */
export interface TwinParts {
  readonly parts: ControllerParts;
  /** What was done on its kernel since {@link begin}. */
  steps(): readonly TwinStep[];
  begin(): void;
}

/** Makes the parts of a twin of the controller that `parts` and `context` are of, and changes nothing of it. */
export async function twinParts(parts: ControllerParts, context: Context): Promise<TwinParts> {
  const objects = believedObjects(context);
  const entries = [...context.store.range("")];
  const kernel = new TryoutKernel(parts.facts, objects);
  const ownLinks = objects.flatMap((object) =>
    object.kind === "link" && object.netns === hostNetns && object.spec.type !== "adopted"
      ? [object.name]
      : [],
  );
  const facts = new TryoutFacts(parts.facts, kernel, new Set(ownLinks));
  kernel.addForeignChains(
    context.otherFirewalls.chains.map(({ family, table, chain }) => ({
      netns: hostNetns,
      family,
      table,
      chain,
    })),
  );
  const store = new MemoryStore();
  await store.transact((transaction) => {
    for (const { key, value } of entries) transaction.put(key, value);
  });
  const sockets = parts.observePorts?.(parts.hostPorts.bindings) ?? new MemoryPortSockets();
  const settings = () => ephemeralSettings((key) => facts.sysctl(key));
  const hostPorts = new HostPorts({ sockets, settings, last: parts.hostPorts.last });
  let done = 0;
  return {
    parts: {
      ...parts,
      store,
      kernel,
      facts,
      held: parts.held.map((handler) =>
        handler.type === portsType
          ? portHandler(hostPorts, new MemoryPortProxies())
          : holdingNothing(handler),
      ),
      hostPorts,
      drivers: parts.drivers.map((one) =>
        typeof one === "string" || !one.capabilities.imperative ? one : withoutWork(one),
      ),
      ipamDrivers: parts.ipamDrivers.map(withoutLeases),
      selfRepair: false,
      onClose: [() => hostPorts.close(), () => store.close()],
      onPurge: [],
      threads: {},
      tell: () => {},
    },
    begin: () => {
      done = kernel.operations.length;
    },
    steps: () => kernel.operations.slice(done).map(stepOf),
  };
}

function believedObjects({ reconciler: { belief } }: Context): readonly KernelObject[] {
  return [...belief.identities()].flatMap((identity) => {
    const object = belief.get(identity);
    return object === undefined || object.kind === "held" ? [] : [object];
  });
}

function holdingNothing({ type, rank }: HeldHandler): HeldHandler {
  const nothing = async () => {};
  return { type, rank, acquire: nothing, change: nothing, release: nothing };
}

function stepOf(operation: Operation): TwinStep {
  const { op, object } = operation;
  const step = { step: op, identity: identityOf(object), object };
  return operation.op === "change" ? { ...step, former: operation.former } : step;
}
