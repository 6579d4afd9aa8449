import { encodeAccusation, encodeIndirectPing, encodePing, type PingSource } from "../wire/index.ts";
import type { Acks } from "./acks.ts";
import type { NodeContext } from "./context.ts";
import type { Exchanges } from "./exchanges.ts";
import type { Mailer } from "./mailer.ts";
import type { MemberRecord } from "./member-record.ts";
import type { Rumours } from "./rumours.ts";
import { nackSince, protocolMaxOf, tcpPingSince } from "./versions.ts";

/** What a prober works with. */
export interface ProberParts {
  readonly context: NodeContext;
  readonly acks: Acks;
  readonly mailer: Mailer;
  readonly rumours: Rumours;
  readonly exchanges: Exchanges;
  /** This node, as it writes itself into pings. */
  readonly source: PingSource;
}

/** A round of asking one member, from the ping to the verdict. */
interface Round {
  readonly target: MemberRecord;
  readonly seqNo: number;
  readonly deadline: number;
  over: boolean;
  byTcp: boolean;
  expectedNacks: number;
  nacks: number;
}

/** Asks one member after the other whether it is there: directly, then through others and by TCP (SWIM; gossip.md B.9). */
export class Prober {
  readonly #parts: ProberParts;
  #index = 0;
  #busy = false;
  #missed = false;

  constructor(parts: ProberParts) {
    this.#parts = parts;
  }

  /** Probes the next member. While the round before still runs, one tick is remembered. */
  tick(): void {
    if (this.#busy) {
      this.#missed = true;
      return;
    }
    const target = this.#next();
    if (target !== undefined) this.#probe(target);
  }

  /** The next living member in the order of probes, which is shuffled at each of its ends. */
  #next(): MemberRecord | undefined {
    const { table, self, timers, profile } = this.#parts.context;
    for (let checks = table.size; checks >= 0; checks--) {
      const one = table.at(this.#index);
      if (one === undefined) {
        const now = timers.monotonic();
        table.renew(({ changedAt }) => now - changedAt > profile.gossipToTheDead);
        this.#index = 0;
        continue;
      }
      this.#index++;
      if (one.name !== self && (one.state === "alive" || one.state === "suspect")) return one;
    }
    return undefined;
  }

  #probe(target: MemberRecord): void {
    const { context, acks } = this.#parts;
    const { timers, awareness, profile, counters, hooks } = context;
    counters.probes++;
    const interval = awareness.scale(profile.probeInterval);
    const sentAt = timers.monotonic();
    const seqNo = acks.next();
    const round: Round = {
      target,
      seqNo,
      deadline: sentAt + interval,
      over: false,
      byTcp: false,
      expectedNacks: 0,
      nacks: 0,
    };
    this.#busy = true;
    const cancelHelp = timers.after(profile.probeTimeout, () => {
      if (!round.over) this.#askOthers(round);
    });
    const wait = {
      ack: (payload: Uint8Array) => {
        cancelHelp();
        const roundTrip = timers.monotonic() - sentAt;
        if (roundTrip <= profile.probeTimeout) hooks.pinged?.(target, roundTrip, payload);
        this.#succeeded(round);
      },
      nack: () => {
        round.nacks++;
      },
      again: () => this.#ping(target, seqNo),
      expired: () => this.#expired(round),
    };
    acks.expect(seqNo, interval, wait, profile.probeTimeout);
    this.#ping(target, seqNo);
  }

  /** A suspect is told so in the same packet, so that it can object at once. */
  #ping(target: MemberRecord, seqNo: number): void {
    const { mailer, source, context } = this.#parts;
    const ping = encodePing({ seqNo, node: target.name, source });
    if (target.state === "alive") {
      mailer.sendWithGossip(target, ping, target);
      return;
    }
    const { incarnation, name: node } = target;
    const suspect = encodeAccusation("suspect", { incarnation, node, from: context.self });
    mailer.sendTogether(target, [ping, suspect], target);
  }

  #askOthers(round: Round): void {
    const { context, mailer, source, exchanges } = this.#parts;
    const { table, profile, self, timers } = context;
    const { target, seqNo } = round;
    const isFit = (one: MemberRecord) =>
      one.name !== self && one.name !== target.name && one.state === "alive";
    for (const helper of table.pick(profile.indirectChecks, isFit)) {
      const nack = protocolMaxOf(helper.versions) >= nackSince;
      if (nack) round.expectedNacks++;
      const { addressBytes, port, name: node } = target;
      const request = encodeIndirectPing({ seqNo, target: addressBytes, port, node, nack, source });
      mailer.sendWithGossip(helper, request, helper);
    }
    if (!profile.tcpPings || protocolMaxOf(target.versions) < tcpPingSince) return;
    const left = round.deadline - timers.monotonic();
    exchanges.ping(target, { seqNo, node: target.name, source }, left, () => {
      round.byTcp = true;
    });
  }

  #expired(round: Round): void {
    if (round.over) return;
    const { context, rumours } = this.#parts;
    const { target } = round;
    if (round.byTcp) {
      context.peerLog.warn("reached by TCP but not by UDP: the network may be misconfigured", target.name);
      this.#succeeded(round);
      return;
    }
    round.over = true;
    context.counters.failedProbes++;
    // Helpers that keep silent are a sign that it is this node that cannot be heard.
    context.awareness.apply(round.expectedNacks > 0 ? round.expectedNacks - round.nacks : 1);
    rumours.suspect({ incarnation: target.incarnation, node: target.name, from: context.self });
    this.#done();
  }

  #succeeded(round: Round): void {
    round.over = true;
    this.#parts.context.awareness.apply(-1);
    this.#done();
  }

  #done(): void {
    this.#busy = false;
    if (!this.#missed) return;
    this.#missed = false;
    this.tick();
  }
}
