import type { Controller } from "../../src/index.ts";

/** One thing that a lane does with the controller. Names are unique among all lanes. */
export type Operation =
  | { readonly do: "create network"; readonly network: string }
  | { readonly do: "delete network"; readonly network: string }
  | { readonly do: "create sandbox"; readonly sandbox: string }
  | { readonly do: "delete sandbox"; readonly sandbox: string }
  | { readonly do: "create endpoint"; readonly network: string; readonly endpoint: string }
  | { readonly do: "delete endpoint"; readonly network: string; readonly endpoint: string }
  | { readonly do: "join"; readonly network: string; readonly endpoint: string; readonly sandbox: string }
  | { readonly do: "connect"; readonly network: string; readonly endpoint: string; readonly sandbox: string }
  | { readonly do: "leave"; readonly network: string; readonly endpoint: string };

/** What a lane has: its networks with their endpoints, each with the sandbox that it is in, and its sandboxes. */
export interface LaneState {
  readonly networks: Readonly<Record<string, Readonly<Record<string, string | null>>>>;
  readonly sandboxes: readonly string[];
}

/** A line that the churning program writes. */
export interface ChurnLine {
  readonly lane: number;
  readonly step: "begin" | "done";
  readonly operation: Operation;
}

/** How many lanes work side by side. */
export const laneCount = 4;

/** What a lane has in a controller. */
export function laneState(controller: Controller, lane: number): LaneState {
  const isOwn = (name: string) => name.startsWith(`lane${lane}-`);
  const containers = new Map(
    controller.sandboxes().map((sandbox) => [String(sandbox.id), sandbox.containerId]),
  );
  const joined = new Map<string, string>();
  for (const sandbox of controller.sandboxes())
    for (const endpoint of sandbox.endpoints()) joined.set(endpoint.id, containers.get(sandbox.id) ?? "");
  const networks = controller.networks().filter(({ name }) => isOwn(name));
  return {
    networks: Object.fromEntries(
      networks.map((network) => [
        network.name,
        Object.fromEntries(
          network
            .endpoints()
            .map(({ id, name }) => [name, joined.get(id) ?? null] as const)
            .toSorted(),
        ),
      ]),
    ),
    sandboxes: [...containers.values()].filter(isOwn).toSorted(),
  };
}

/** What an operation makes of a lane's state. */
export function after(state: LaneState, operation: Operation): LaneState {
  const networks: Record<string, Record<string, string | null>> = Object.fromEntries(
    Object.entries(state.networks).map(([name, endpoints]) => [name, { ...endpoints }]),
  );
  const sandboxes = new Set(state.sandboxes);
  switch (operation.do) {
    case "create network":
      networks[operation.network] = {};
      break;
    case "delete network":
      delete networks[operation.network];
      break;
    case "create sandbox":
      sandboxes.add(operation.sandbox);
      break;
    case "delete sandbox":
      sandboxes.delete(operation.sandbox);
      for (const endpoints of Object.values(networks))
        for (const [name, sandbox] of Object.entries(endpoints))
          if (sandbox === operation.sandbox) delete endpoints[name];
      break;
    case "delete endpoint":
      delete networks[operation.network]?.[operation.endpoint];
      break;
    case "create endpoint":
    case "leave":
      networks[operation.network] = { ...networks[operation.network], [operation.endpoint]: null };
      break;
    case "join":
    case "connect":
      networks[operation.network] = {
        ...networks[operation.network],
        [operation.endpoint]: operation.sandbox,
      };
  }
  return { networks, sandboxes: [...sandboxes].toSorted() };
}

/** Everything that can be done next. */
export function possible(lane: number, state: LaneState): readonly Operation[] {
  const names = (what: string) => [`lane${lane}-${what}1`, `lane${lane}-${what}2`];
  const operations: Operation[] = [];
  for (const sandbox of names("box"))
    operations.push({ do: state.sandboxes.includes(sandbox) ? "delete sandbox" : "create sandbox", sandbox });
  for (const network of names("net")) {
    const endpoints = state.networks[network];
    if (endpoints === undefined) operations.push({ do: "create network", network });
    else operations.push(...possibleIn(network, endpoints, state.sandboxes, names("end")));
  }
  return operations;
}

function possibleIn(
  network: string,
  endpoints: Readonly<Record<string, string | null>>,
  sandboxes: readonly string[],
  names: readonly string[],
): readonly Operation[] {
  const operations: Operation[] = [];
  const free = sandboxes.filter((sandbox) => !Object.values(endpoints).includes(sandbox));
  if (Object.keys(endpoints).length === 0) operations.push({ do: "delete network", network });
  for (const endpoint of names) {
    const sandbox = endpoints[endpoint];
    if (sandbox === undefined) {
      operations.push({ do: "create endpoint", network, endpoint });
      operations.push(...free.map((one) => ({ do: "connect", network, endpoint, sandbox: one }) as const));
    } else if (sandbox === null) {
      operations.push({ do: "delete endpoint", network, endpoint });
      operations.push(...free.map((one) => ({ do: "join", network, endpoint, sandbox: one }) as const));
    } else {
      operations.push({ do: "leave", network, endpoint });
    }
  }
  return operations;
}

/** Does it. */
export async function carryOut(controller: Controller, operation: Operation): Promise<void> {
  switch (operation.do) {
    case "create network": {
      // Of each lane's two networks one is internal, and every other lane has IPv4 alone.
      const { network } = operation;
      await controller.createNetwork("bridge", network, {
        ipv6: /lane[02]/.test(network),
        internal: network.endsWith("2"),
      });
      return;
    }
    case "delete network":
      return controller.network(operation.network).delete();
    case "create sandbox":
      await controller.createSandbox(operation.sandbox, { hostname: operation.sandbox });
      return;
    case "delete sandbox":
      return controller.sandbox(operation.sandbox).delete();
    case "create endpoint":
      await controller.network(operation.network).createEndpoint(operation.endpoint);
      return;
    case "delete endpoint":
      return controller.network(operation.network).endpoint(operation.endpoint).delete();
    case "join":
      return controller
        .network(operation.network)
        .endpoint(operation.endpoint)
        .join(controller.sandbox(operation.sandbox));
    case "connect":
      await controller
        .sandbox(operation.sandbox)
        .connect(controller.network(operation.network), { name: operation.endpoint, aliases: ["all"] });
      return;
    case "leave":
      return controller.network(operation.network).endpoint(operation.endpoint).leave();
  }
}
