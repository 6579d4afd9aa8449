import { type Clock, familyOf, type IpAddress, type MacAddress, WeftError } from "../../core/index.ts";
import { isKernelError } from "../kernel-error.ts";
import type { Claim } from "./claims.ts";
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

/** An address that somebody on the link has, or is about to take. */
export interface HeldAddress {
  readonly address: IpAddress;
  readonly mac: MacAddress;
}

/** The link to ask on. */
export interface ProbedLink {
  readonly index: number;
  readonly mac: MacAddress;
}

/** Probes are sent this often, in equal parts of the time: one may be lost (PROBE_NUM of RFC 5227). */
const probeCount = 3;
/** How long what came may wait to be looked at, ms. */
const stepMs = 10;

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
   * Those of the addresses that somebody else has. Of two that probe for one address at the same time the one
   * with the lower Ethernet address may go on: RFC 5227 §2.1.1 has both give up, and two hosts that give out
   * addresses of one range, lowest first, would meet again at each next one. A link that goes down or away
   * while it is asked has nobody more to answer. Throws ABORTED, and KernelError.
   */
  async ask(link: ProbedLink, question: AddressQuestion): Promise<readonly HeldAddress[]> {
    const held = new Map<IpAddress, MacAddress>();
    const hear = ({ address, claim, mac }: Claim) => {
      if (mac === link.mac || question.ours.includes(mac) || (claim === "probes" && mac > link.mac)) return;
      if (!held.has(address)) held.set(address, mac);
    };
    const listener: ClaimListener = { addresses: question.addresses, hear };
    const ear = this.#ears.get(link.index) ?? new NeighbourEar(this.#netnsFd, link.index);
    this.#ears.set(link.index, ear);
    const found = () => [...held].map(([address, mac]) => ({ address, mac }));
    try {
      ear.add(listener);
      await this.#converse(ear, link.mac, question, found);
    } catch (error) {
      if (!isKernelError(error, "ENETDOWN", "ENODEV", "ENXIO")) throw error;
    } finally {
      ear.remove(listener);
      if (ear.idle) this.#ears.delete(link.index);
    }
    return found();
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
