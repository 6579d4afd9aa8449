import { hostNetns, type LinkObject } from "../kernel/index.ts";
import type { Drift } from "../plan/index.ts";
import type { Context } from "./context.ts";
import { networkOwner } from "./plans.ts";

/** A link of somebody else's that networks are built on, and that is not there: weft cannot make it. */
export interface GoneLink {
  readonly drift: "interface gone";
  /** `link host eth0`. */
  readonly identity: Drift["identity"];
  /** The names of the networks that wait for it to come back. */
  readonly networks: readonly string[];
  readonly wanted: LinkObject;
}

/** Drift in which links that nobody but others can bring back are told as such, and first. */
export function withGoneLinks(context: Context, drifts: readonly Drift[]): readonly (Drift | GoneLink)[] {
  const gone: GoneLink[] = [];
  const rest: Drift[] = [];
  for (const drift of drifts) {
    const wanted = drift.drift === "missing" ? drift.wanted : undefined;
    if (wanted?.kind === "link" && wanted.spec.type === "adopted" && wanted.netns === hostNetns)
      gone.push({
        drift: "interface gone",
        identity: drift.identity,
        networks: networksOn(context, drift),
        wanted,
      });
    else rest.push(drift);
  }
  return [...gone, ...rest];
}

function networksOn({ reconciler, tables }: Context, { identity }: Drift): readonly string[] {
  const owners = reconciler.desired.get(identity)?.owners ?? new Map<string, unknown>();
  const networks = [...tables.networks.all()].filter(({ id }) => owners.has(networkOwner(id)));
  return networks.map(({ name }) => name).sort();
}
