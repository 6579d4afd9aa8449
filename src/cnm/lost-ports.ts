import type { Id } from "../core/index.ts";
import {
  formatHostPort,
  type HostPort,
  type PortBinding,
  sharePort,
  type TakenPort,
} from "../ports/index.ts";
import type { SandboxRecord } from "./records.ts";

/**
 * Ports of the host that sandboxes' records name, and that other programs have taken while weft was away:
 * by sandbox, and by the binding's key. They are left unpublished until they can be had again.
 */
export type LostPorts = Map<Id, ReadonlyMap<string, TakenPort>>;

/** A port of the host that a sandbox's record names and another program has, as drift. */
export interface TakenPortDrift {
  readonly drift: "port taken";
  /** `0.0.0.0:80/tcp`. */
  readonly identity: string;
  readonly sandbox: Id;
  readonly wanted: PortBinding;
}

/**
 * The bindings of a sandbox that are in force: those recorded, without those that were lost. A port that was taken
 * anew since has a binding of its own.
 */
export function bindingsInForce(
  lostPorts: ReadonlyMap<Id, ReadonlyMap<string, TakenPort>>,
  { id, bindings }: Pick<SandboxRecord, "id" | "bindings">,
): readonly PortBinding[] {
  const lost = lostPorts.get(id);
  return lost === undefined
    ? bindings
    : bindings.filter((binding) => lost.get(formatHostPort(binding))?.binding !== binding);
}

/** Forgets what was lost of bindings that the sandbox's record does not name any more. */
export function forgetOtherLosses(lostPorts: LostPorts, { id, bindings }: SandboxRecord): void {
  const lost = lostPorts.get(id);
  if (lost === undefined) return;
  const still = [...lost].filter(([, { binding }]) => bindings.includes(binding));
  if (still.length === 0) lostPorts.delete(id);
  else lostPorts.set(id, new Map(still));
}

/** True when a port is one that another sandbox than `taker` has lost, and is to have again. */
export function isPromised(lostPorts: LostPorts, taker: Id, hostPort: HostPort): boolean {
  for (const [sandbox, lost] of lostPorts)
    if (sandbox !== taker && [...lost.values()].some(({ binding }) => sharePort(binding, hostPort)))
      return true;
  return false;
}

/** What was lost, as drift. */
export function lostPortDrifts(lostPorts: LostPorts): readonly TakenPortDrift[] {
  return [...lostPorts].flatMap(([sandbox, lost]) =>
    [...lost].map(
      ([identity, { binding }]): TakenPortDrift => ({
        drift: "port taken",
        identity,
        sandbox,
        wanted: binding,
      }),
    ),
  );
}
