import { type Clock, familyOf, type IpAddress, type MacAddress, WeftError } from "../../core/index.ts";
import {
  type AddressGuard,
  type HeldAddress,
  hearClaims,
  isLinkLost,
  keepListening,
  noGuard,
  readUnlessLost,
  stepMs,
} from "./address-guard.ts";
import { probeFrame } from "./frames.ts";
import { type ClaimListener, NeighbourEar } from "./neighbour-ear.ts";

/** Which addresses to ask for, and how long. */
export interface AddressQuestion {
  readonly addresses: readonly IpAddress[];
  /** Who may have them: what they say is no answer. */
  readonly ours: readonly MacAddress[];
  /** How long to listen, ms. */
  readonly windowMs: number;
  /** True once enough is known for the asker; until the time is over without. */
  readonly isEnough?: (held: readonly HeldAddress[]) => boolean;
  readonly signal?: AbortSignal | undefined;
}

/** The link to ask on. */
export interface ProbedLink {
  readonly index: number;
  readonly mac: MacAddress;
}

/** Probes are sent this often, in equal parts of the time: one may be lost (PROBE_NUM of RFC 5227). */
const probeCount = 3;

/** Asks on links of one namespace who has addresses. Any number of questions go side by side. */
export class AddressProber {
  readonly #netnsFd: number;
  readonly #clock: Pick<Clock, "monotonic" | "sleep">;
  readonly #ears = new Map<number, NeighbourEar>();

  /** `netnsFd` stays the caller's, and open for as long as a question is asked. */
  constructor(netnsFd: number, clock: Pick<Clock, "monotonic" | "sleep">) {
    this.#netnsFd = netnsFd;
    this.#clock = clock;
  }

  /**
   * Those of the addresses that somebody else has; see {@link hearClaims}. A link that goes down or away while it is
   * asked has nobody more to answer. Throws ABORTED, and KernelError.
   */
  async ask(link: ProbedLink, question: AddressQuestion): Promise<readonly HeldAddress[]> {
    const held = new Map<IpAddress, MacAddress>();
    const ear = this.#earOf(link);
    const hear = hearClaims(ear, link.mac, question.ours, held);
    const listener: ClaimListener = { addresses: question.addresses, hear };
    const found = () => [...held].map(([address, mac]) => ({ address, mac }));
    try {
      ear.add(listener);
      await this.#converse(ear, link.mac, question, found);
    } catch (error) {
      if (!isLinkLost(error)) throw error;
    } finally {
      this.#remove(link, ear, listener);
    }
    return found();
  }

  /**
   * Goes on listening for addresses that nobody had, until the guard is ended, as who gets them has to do. On a link
   * that is down or away there is nobody to hear. Throws KernelError.
   */
  guard(link: ProbedLink, { addresses, ours }: Pick<AddressQuestion, "addresses" | "ours">): AddressGuard {
    const held = new Map<IpAddress, MacAddress>();
    const ear = this.#earOf(link);
    const listener: ClaimListener = { addresses, hear: hearClaims(ear, link.mac, ours, held) };
    const ended = new AbortController();
    const end = () => {
      ended.abort();
      this.#remove(link, ear, listener);
    };
    try {
      ear.add(listener);
    } catch (error) {
      end();
      if (isLinkLost(error)) return noGuard;
      throw error;
    }
    const listening = keepListening(ear, this.#clock, ended.signal);
    listening.catch(() => {}); // whoever asks what is held reads by themselves
    return {
      held: () => {
        if (!ended.signal.aborted) readUnlessLost(ear);
        return [...held].map(([address, mac]) => ({ address, mac }));
      },
      end,
    };
  }

  #earOf({ index }: ProbedLink): NeighbourEar {
    const ear = this.#ears.get(index) ?? new NeighbourEar(this.#netnsFd, index);
    this.#ears.set(index, ear);
    return ear;
  }

  #remove({ index }: ProbedLink, ear: NeighbourEar, listener: ClaimListener): void {
    ear.remove(listener);
    if (ear.idle && this.#ears.get(index) === ear) this.#ears.delete(index);
  }

  async #converse(
    ear: NeighbourEar,
    mac: MacAddress,
    { addresses, windowMs, isEnough, signal }: AddressQuestion,
    found: () => readonly HeldAddress[],
  ): Promise<void> {
    const frames = addresses.map((address) => [familyOf(address), probeFrame(mac, address)] as const);
    const spacing = windowMs / probeCount;
    const begin = this.#clock.monotonic();
    for (let sent = 0; ; ) {
      // Before what came is read: after a time without a turn, all that was to be heard is there.
      const elapsed = this.#clock.monotonic() - begin;
      if (sent < probeCount && elapsed >= sent * spacing) {
        for (const [family, frame] of frames) ear.send(family, frame);
        sent++;
      }
      ear.read();
      if (isEnough?.(found()) === true || elapsed >= windowMs) return;
      await this.#sleep(Math.min(stepMs, windowMs - elapsed), signal);
    }
  }

  async #sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#clock.sleep(ms, signal);
    } catch (error) {
      if (signal?.aborted !== true) throw error;
      throw new WeftError("ABORTED", "the request was given up", { cause: error });
    }
  }
}
