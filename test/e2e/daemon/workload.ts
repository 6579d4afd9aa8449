import type { WeftClient } from "../../../src/api/client/index.ts";

/** The network that all clients use, and that every host has. */
export const sharedNetwork = "bridge";

/** Where a sandbox is in its life; one without a command is open as long as it is there. */
export type BoxStatus = "created" | "running" | "exited" | "open";

/** What a client knows of a sandbox of its own. */
export interface Box {
  readonly status: BoxStatus;
  /** Names, sorted. */
  readonly networks: readonly string[];
  /** As `-p` takes them. */
  readonly ports: readonly string[];
}

/** What a client has. Names are unique among all clients. */
export interface ClientState {
  /** Sorted. */
  readonly networks: readonly string[];
  readonly boxes: Readonly<Record<string, Box>>;
}

/** One thing that a client asks for. */
export type Operation =
  | { readonly do: "create network" | "remove network"; readonly network: string }
  | {
      readonly do: "run" | "create" | "open";
      readonly box: string;
      readonly networks: readonly string[];
      readonly ports: readonly string[];
    }
  | {
      readonly do: "start" | "stop" | "kill" | "restart" | "remove" | "remove by force";
      readonly box: string;
    }
  | { readonly do: "connect" | "disconnect"; readonly box: string; readonly network: string };

/** A number from 0 to below 1. */
type RandomNumber = () => number;

const networksEach = 2;
const boxKinds = ["sleep", "web", "bare"] as const;

/** The commands of sandboxes, by the kind that their names end in. */
const commands: Readonly<Record<string, readonly string[]>> = {
  sleep: ["busybox", "sleep", "100000"],
  web: ["busybox", "httpd", "-f", "-p", "80", "-h", "/etc"],
};

/** The port that a web server's sandbox publishes. */
export const webPort = 80;

const kindOf = (box: string): string => box.slice(box.lastIndexOf("-") + 1);
const sorted = (words: Iterable<string>): readonly string[] => [...words].sort();

/** Whether a network is made so that nothing outside reaches it, published ports neither. */
export function isInternal(network: string): boolean {
  return network.startsWith("client1-");
}

/** Something that a client in this state can ask for. */
export function chosen(client: number, state: ClientState, random: RandomNumber): Operation {
  const choices = [...networkChoices(client, state), ...boxChoices(client, state, random)];
  const choice = choices[Math.floor(random() * choices.length)];
  if (choice === undefined) throw new Error("a client can always do something");
  return choice;
}

function networkChoices(client: number, { networks, boxes }: ClientState): readonly Operation[] {
  const used = new Set(Object.values(boxes).flatMap((box) => box.networks));
  return Array.from({ length: networksEach }, (_, i) => `client${client}-net${i}`).flatMap(
    (network): readonly Operation[] => {
      if (!networks.includes(network)) return [{ do: "create network", network }];
      return used.has(network) ? [] : [{ do: "remove network", network }];
    },
  );
}

function boxChoices(client: number, state: ClientState, random: RandomNumber): readonly Operation[] {
  const networks = [sharedNetwork, ...state.networks];
  return boxKinds.flatMap((kind, i): readonly Operation[] => {
    const name = `client${client}-${kind}`;
    const box = state.boxes[name];
    if (box === undefined)
      return making(name, networks, publishing(20_000 + client * 10 + i, random), random);
    return [...living(name, box), ...connecting(name, box, networks)];
  });
}

/** Ports of a sandbox: none, one of the host's choosing, or that one. */
function publishing(hostPort: number, random: RandomNumber): readonly string[] {
  const choices = [[], [String(webPort)], [`${hostPort}:${webPort}`, `${hostPort}:53/udp`]];
  return choices[Math.floor(random() * choices.length)] ?? [];
}

function making(
  box: string,
  networks: readonly string[],
  ports: readonly string[],
  random: RandomNumber,
): readonly Operation[] {
  const some = networks.filter(() => random() < 0.5);
  const part = { box, networks: sorted(some.length === 0 ? [sharedNetwork] : some), ports };
  if (kindOf(box) === "bare") return [{ do: "open", ...part }];
  // Twice: what has no command running is of less interest.
  return [
    { do: "run", ...part },
    { do: "run", ...part },
    { do: "create", ...part },
  ];
}

function living(box: string, { status }: Box): readonly Operation[] {
  const each = (
    ...words: readonly ("start" | "stop" | "kill" | "restart" | "remove" | "remove by force")[]
  ) => words.map((word) => ({ do: word, box }) as const);
  if (status === "open") return each("remove", "remove by force");
  return status === "running"
    ? each("stop", "kill", "restart", "remove by force")
    : each("start", "restart", "remove");
}

function connecting(box: string, { networks }: Box, all: readonly string[]): readonly Operation[] {
  return all.flatMap((network): readonly Operation[] => {
    if (!networks.includes(network)) return [{ do: "connect", box, network }];
    return networks.length > 1 ? [{ do: "disconnect", box, network }] : [];
  });
}

/** Asks for it. */
export async function carryOut(client: WeftClient, operation: Operation): Promise<void> {
  switch (operation.do) {
    case "create network":
      await client.createNetwork({
        Name: operation.network,
        EnableIPv6: operation.network.endsWith("0"),
        Internal: isInternal(operation.network),
      });
      return;
    case "remove network":
      return client.removeNetwork(operation.network);
    case "run":
    case "create":
    case "open":
      await client.createSandbox(requestOf(operation), { start: operation.do === "run" });
      return;
    case "start":
      return client.startSandbox(operation.box);
    case "stop":
      return client.stopSandbox(operation.box, { timeout: 5 });
    case "kill":
      await client.killSandbox(operation.box);
      await client.waitSandbox(operation.box);
      return;
    case "restart":
      return client.restartSandbox(operation.box, { timeout: 5 });
    case "remove":
      return client.removeSandbox(operation.box);
    case "remove by force":
      return client.removeSandbox(operation.box, { force: true });
    case "connect":
      return client.connect(operation.network, { Sandbox: operation.box });
    case "disconnect":
      return client.disconnect(operation.network, { Sandbox: operation.box });
  }
}

function requestOf({ box, networks, ports }: Extract<Operation, { readonly ports: unknown }>) {
  const Args = commands[kindOf(box)];
  return {
    Name: box,
    Networks: networks.map((Network) => ({ Network })),
    Ports: [...ports],
    ...(Args === undefined ? {} : { Command: { Args: [...Args] } }),
  };
}

/** What an operation that was answered makes of a client's state. */
export function after(state: ClientState, operation: Operation): ClientState {
  switch (operation.do) {
    case "create network":
      return { ...state, networks: sorted([...state.networks, operation.network]) };
    case "remove network":
      return { ...state, networks: state.networks.filter((one) => one !== operation.network) };
    case "run":
      return withMade(state, operation, "running");
    case "create":
      return withMade(state, operation, "created");
    case "open":
      return withMade(state, operation, "open");
    case "start":
    case "restart":
      return withBox(state, operation.box, { status: "running" });
    case "stop":
    case "kill":
      return withBox(state, operation.box, { status: "exited" });
    case "remove":
    case "remove by force":
      return without(state, operation.box);
    case "connect":
    case "disconnect":
      return withBox(state, operation.box, { networks: networksAfter(state, operation) });
  }
}

function networksAfter(
  state: ClientState,
  { do: word, box, network }: Extract<Operation, { readonly do: "connect" | "disconnect" }>,
): readonly string[] {
  const before = state.boxes[box]?.networks ?? [];
  return word === "connect" ? sorted([...before, network]) : before.filter((one) => one !== network);
}

function withMade(
  state: ClientState,
  { box, networks, ports }: Extract<Operation, { readonly ports: unknown }>,
  status: BoxStatus,
): ClientState {
  return { ...state, boxes: { ...state.boxes, [box]: { status, networks, ports } } };
}

function withBox(state: ClientState, name: string, changed: Partial<Box>): ClientState {
  const box = state.boxes[name];
  if (box === undefined) throw new Error(`there is no ${name}`);
  return { ...state, boxes: { ...state.boxes, [name]: { ...box, ...changed } } };
}

function without(state: ClientState, name: string): ClientState {
  const { [name]: _, ...boxes } = state.boxes;
  return { ...state, boxes };
}

/**
 * The states that an operation may leave whose answer never came: nothing was done, or all of it. A command may
 * have been ended without its sandbox being removed, or be recorded as one that ended because it never began.
 */
export function outcomes(state: ClientState, operation: Operation | undefined): readonly ClientState[] {
  if (operation === undefined) return [state];
  const done = after(state, operation);
  switch (operation.do) {
    case "run":
      return [state, done, withBox(done, operation.box, { status: "exited" })];
    case "start":
    case "restart":
    case "stop":
    case "kill":
      return [state, done, withBox(state, operation.box, { status: "exited" })];
    case "remove by force":
      return state.boxes[operation.box]?.status === "running"
        ? [state, done, withBox(state, operation.box, { status: "exited" })]
        : [state, done];
    default:
      return [state, done];
  }
}

/** The sandbox whose command an operation starts or ends; undefined when it does neither. */
export function commandTouchedBy(operation: Operation | undefined): string | undefined {
  if (operation === undefined || !("box" in operation)) return undefined;
  return operation.do === "connect" || operation.do === "disconnect" ? undefined : operation.box;
}
