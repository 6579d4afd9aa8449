import type { Reconciler, Synced } from "../plan/index.ts";

/** What could not be mended, and why. */
export interface Unmended {
  /** An object's identity, `link host eth0`, or an owner's. */
  readonly what: string;
  readonly error: unknown;
}

/** All that a sync left as it should not be: what was refused, and then what could not even be tried. */
export function unmendedBy(
  { failures, unmended }: Pick<Synced, "failures" | "unmended">,
  { desired }: Pick<Reconciler, "desired">,
): readonly Unmended[] {
  const refused = failures.map(({ step, error }): Unmended => ({ what: step.identity, error }));
  const told = new Set(refused.map(({ what }) => what));
  const untried = unmended.filter((one) => !told.has(one));
  return [
    ...refused,
    ...untried.map((what): Unmended => {
      const isWanted = desired.get(what) !== undefined;
      const why = isWanted ? "what it is on is not there" : "not all that nobody wants could be removed";
      return { what, error: new Error(why) };
    }),
  ];
}
