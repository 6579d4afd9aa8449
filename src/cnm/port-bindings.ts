import {
  formatHostPort,
  type PortBinding,
  type PortRequest,
  type PortSpec,
  type TakenPort,
} from "../ports/index.ts";
import { attachmentsOf, type Context, sandboxChange } from "./context.ts";
import { type Attachment, inGatewayOrder } from "./gateway-order.ts";
import { isPromised } from "./lost-ports.ts";
import { portRequests, waysIn } from "./port-requests.ts";
import type { SandboxRecord } from "./records.ts";

/** A sandbox's record with the ports of the host that its attachments ask for. */
export interface Rebound {
  readonly sandbox: SandboxRecord;
  /** Gives back what was taken for it; for when it could not be recorded. */
  readonly giveUp: () => void;
}

/**
 * Takes the ports of the host that a sandbox with these attachments needs; those that it has already and
 * needs still, it keeps. What it needs no more is given back by whoever makes the record's plan come true.
 * Throws PORT_IN_USE, PORTS_EXHAUSTED; then nothing was taken.
 */
export async function rebind(
  context: Context,
  sandbox: SandboxRecord,
  attachments: readonly Attachment[],
): Promise<Rebound> {
  if (sandbox.ports.length === 0) return { sandbox, giveUp: () => {} };
  const ways = waysIn(inGatewayOrder(attachments), ({ driver }) => context.drivers.get(driver));
  const requests = portRequests(sandbox, ways);
  const { kept, missing } = match(requests, sandbox.bindings);
  await giveUpInTheWay(context, sandbox, kept, missing);
  const taken =
    missing.length === 0
      ? []
      : context.hostPorts.allocate(sandbox.id, missing, (hostPort) =>
          isPromised(context.lostPorts, sandbox.id, hostPort),
        );
  const bindings = [...kept, ...taken];
  return {
    sandbox: sameBindings(bindings, sandbox.bindings) ? sandbox : { ...sandbox, bindings },
    giveUp: () => context.hostPorts.giveBack(sandbox.id, taken),
  };
}

/** Reserves what a sandbox's record says. Gives what other programs have taken meanwhile, which is noted. */
export function reserveAgain(context: Context, { id, bindings }: SandboxRecord): readonly TakenPort[] {
  const lost = bindings.length === 0 ? [] : context.hostPorts.reserve(id, bindings);
  if (lost.length === 0) context.lostPorts.delete(id);
  else context.lostPorts.set(id, new Map(lost.map((one) => [formatHostPort(one.binding), one])));
  return lost;
}

/**
 * A port that moves to another address of the host may be in its own way: then it is unpublished before it
 * is taken there. When that fails, whoever takes the change back publishes it again.
 */
async function giveUpInTheWay(
  context: Context,
  sandbox: SandboxRecord,
  kept: readonly PortBinding[],
  missing: readonly PortRequest[],
): Promise<void> {
  if (missing.length === 0 || sandbox.bindings.length === 0) return;
  const stays = new Set(kept);
  const inTheWay = sandbox.bindings.some(
    (binding) => !stays.has(binding) && missing.some(({ spec }) => allows(spec, binding)),
  );
  if (!inTheWay) return;
  const without: SandboxRecord = { ...sandbox, bindings: kept };
  await context.reconciler.change(sandboxChange(context, without, attachmentsOf(context, sandbox.id)));
}

/** Bindings that serve no request yet: by what they lead to, then by their port of the host. */
type FreeBindings = ReadonlyMap<string, Map<number, readonly PortBinding[]>>;

/** Finds for each request the bindings that still serve it, each of them once. */
function match(
  requests: readonly PortRequest[],
  bindings: readonly PortBinding[],
): { readonly kept: readonly PortBinding[]; readonly missing: readonly PortRequest[] } {
  if (bindings.length === 0) return { kept: [], missing: requests };
  const free = freeBindings(bindings);
  const kept: PortBinding[] = [];
  const missing: PortRequest[] = [];
  for (const request of requests) {
    const found = takeServing(request, free);
    if (found === undefined) missing.push(request);
    else kept.push(...found);
  }
  return { kept, missing };
}

function freeBindings(bindings: readonly PortBinding[]): FreeBindings {
  const free = new Map<string, Map<number, PortBinding[]>>();
  for (const binding of bindings) {
    const target = targetOf(binding);
    const ports = free.get(target) ?? new Map<number, PortBinding[]>();
    const there = ports.get(binding.hostPort);
    if (there === undefined) ports.set(binding.hostPort, [binding]);
    else there.push(binding);
    free.set(target, ports);
  }
  return free;
}

function targetOf({ protocol, port }: Pick<PortSpec, "protocol" | "port">): string {
  return `${port}/${protocol}`;
}

/** One binding for each address of the request, all at one port of the host that it allows; they are free no more. */
function takeServing(
  { spec, hostAddresses }: PortRequest,
  free: FreeBindings,
): readonly PortBinding[] | undefined {
  const ports = free.get(targetOf(spec));
  if (ports === undefined) return undefined;
  for (const hostPort of allowedPorts(spec, ports)) {
    const there = ports.get(hostPort) ?? [];
    const group = there.filter(({ hostAddress }) => hostAddresses.includes(hostAddress));
    if (group.length !== hostAddresses.length) continue;
    ports.set(
      hostPort,
      there.filter((binding) => !group.includes(binding)),
    );
    return group;
  }
  return undefined;
}

/** Of the host's ports that lead there, those that the spec allows. */
function allowedPorts({ hostPorts }: PortSpec, ports: ReadonlyMap<number, unknown>): Iterable<number> {
  if (hostPorts === undefined) return ports.keys();
  const { first, last } = hostPorts;
  // Of a thousand ports that lead to one, each names its own.
  if (first === last) return [first];
  return [...ports.keys()].filter((port) => first <= port && port <= last);
}

/** True when the spec names the binding's port of the host. */
function allows({ protocol, hostPorts }: PortSpec, binding: PortBinding): boolean {
  if (hostPorts === undefined || protocol !== binding.protocol) return false;
  return hostPorts.first <= binding.hostPort && binding.hostPort <= hostPorts.last;
}

function sameBindings(a: readonly PortBinding[], b: readonly PortBinding[]): boolean {
  if (a.length !== b.length) return false;
  const keys = new Set(b.map(formatHostPort));
  return a.every((binding) => keys.has(formatHostPort(binding)));
}
