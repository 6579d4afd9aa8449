import type { Effect, ForgetFlowsEffect } from "../effects.ts";
import type { EffectOutcome } from "../kernel.ts";
import { announce } from "./announce.ts";
import { forgetFlows } from "./forget-flows.ts";
import type { Session } from "./session.ts";

/** Runs each effect although others fail; gives their failures. Flows of one namespace and family are forgotten together. */
export async function runEffects(
  session: Session,
  effects: readonly Effect[],
): Promise<readonly EffectOutcome[]> {
  const groups = new Map<string, ForgetFlowsEffect[]>();
  const failures = new Map<Effect, Error>();
  const attempt = async (concerned: readonly Effect[], work: () => void | Promise<void>) => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      for (const effect of concerned) failures.set(effect, error);
    }
  };
  for (const effect of effects) {
    if (effect.effect === "announce") {
      await attempt([effect], () => announce(session, effect));
      continue;
    }
    const place = `${effect.family} ${effect.netns}`;
    const group = groups.get(place);
    if (group === undefined) groups.set(place, [effect]);
    else group.push(effect);
  }
  for (const group of groups.values()) await attempt(group, () => forgetFlows(session, group));
  return effects.map((effect) => failures.get(effect));
}
