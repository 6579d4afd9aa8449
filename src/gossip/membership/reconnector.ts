import type { Member } from "../cluster.ts";
import type { NodeContext } from "./context.ts";
import type { Exchanges } from "./exchanges.ts";
import type { Rumours } from "./rumours.ts";

/** Failed members that are remembered; the oldest is forgotten first. */
const maxFailed = 4096;

/**
 * Looks for members that failed: nobody probes or tells them any more, so two parts of a cluster that were cut off
 * from each other would never find together. Those that left are not looked for.
 */
export class Reconnector {
  readonly #context: NodeContext;
  readonly #exchanges: Exchanges;
  readonly #rumours: Rumours;
  readonly #failed = new Map<string, { readonly member: Member; readonly since: number }>();

  constructor(context: NodeContext, exchanges: Exchanges, rumours: Rumours) {
    this.#context = context;
    this.#exchanges = exchanges;
    this.#rumours = rumours;
  }

  /** The members that failed and are still looked for. */
  get failed(): readonly Member[] {
    return [...this.#failed.values()].map(({ member }) => member);
  }

  gone(member: Member): void {
    this.#failed.delete(member.name);
    if (member.state !== "dead") return;
    this.#failed.set(member.name, { member, since: this.#context.timers.monotonic() });
    const [oldest] = this.#failed.keys();
    if (this.#failed.size > maxFailed && oldest !== undefined) this.#failed.delete(oldest);
  }

  joined(member: Member): void {
    this.#failed.delete(member.name);
  }

  /** Tries one of them, by chance; seldom when they are few, for then others try too. */
  tick(): void {
    const { timers, profile, dice, table } = this.#context;
    const now = timers.monotonic();
    for (const [name, { since }] of this.#failed)
      if (now - since > profile.reconnectTimeout) this.#failed.delete(name);
    const failed = [...this.#failed.values()];
    const living = Math.max(1, table.living().length);
    if (dice.fraction() >= failed.length / living) return;
    const one = failed[dice.below(failed.length)];
    if (one !== undefined) this.#connect(one.member, true);
  }

  /**
   * After one exchange each side has heard that it was thought dead, and has objected; the second one tells the
   * objections, which would otherwise reach the living of its own side alone.
   */
  #connect(member: Member, again: boolean): void {
    const { counters, log, table } = this.#context;
    const before = this.#rumours.incarnation;
    this.#exchanges.pushPull(member, true, (failure) => {
      if (failure !== undefined) return;
      counters.reconnects++;
      log.info("reconnected to a failed member", { node: member.name });
      const isBack = table.get(member.name)?.state === "alive" && before === this.#rumours.incarnation;
      if (again && !isBack) this.#connect(member, false);
    });
  }
}
