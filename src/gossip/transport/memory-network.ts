import type { IpAddress } from "../../core/index.ts";
import type { Dice, Timers } from "../environment.ts";
import { type MemoryStream, streamPair } from "./memory-stream.ts";
import type { DialOutcome, Place, Transport, TransportEvents } from "./transport.ts";

/** What happens to what is sent. Can be changed at any time. */
export interface NetworkConditions {
  /** The share of packets that are lost, 0 to 1. Streams lose segments too, and send them again. */
  loss: number;
  /** The share of packets that come twice. */
  duplication: number;
  /** How long anything takes, ms, each time anew: packets overtake each other. */
  delay: readonly [least: number, most: number];
}

/** What a node's transport has carried. */
export interface TrafficCount {
  packetsSent: number;
  packetBytesSent: number;
  streamBytesSent: number;
}

/** A perfect network. */
export const calm: NetworkConditions = { loss: 0, duplication: 0, delay: [1, 1] };

/** TCP's first waits before it sends again (RFC 6298), ms. */
const firstSynWait = 1000;
const firstSegmentWait = 200;

/** A network of nodes in one process, on the time and the dice it is given. Partitions are cut and healed by hand. */
export class MemoryNetwork {
  readonly timers: Timers;
  readonly conditions: NetworkConditions;
  readonly #dice: Dice;
  /** By address, then by port. */
  readonly #nodes = new Map<IpAddress, Map<number, MemoryTransport>>();
  #isCut: (from: Place, to: Place) => boolean = () => false;

  constructor(timers: Timers, dice: Dice, conditions: Partial<NetworkConditions> = {}) {
    this.timers = timers;
    this.#dice = dice;
    this.conditions = { ...calm, ...conditions };
  }

  /** A node at `place`, in the stead of one that was there. */
  transport(place: Place): Transport & { readonly traffic: TrafficCount } {
    const transport = new MemoryTransport(this, place);
    const ports = this.#nodes.get(place.address) ?? new Map<number, MemoryTransport>();
    ports.set(place.port, transport);
    this.#nodes.set(place.address, ports);
    return transport;
  }

  /** Says between whom nothing passes, in which direction, from now on. */
  cut(isCut: (from: Place, to: Place) => boolean): void {
    this.#isCut = isCut;
  }

  /** Everything passes again. */
  heal(): void {
    this.#isCut = () => false;
  }

  isCut(from: Place, to: Place): boolean {
    return this.#isCut(from, to);
  }

  /** For the transports: carries a packet. */
  carry(from: Place, to: Place, packet: Buffer): void {
    if (this.#lost() || this.#isCut(from, to)) return;
    this.#deliver(from, to, packet);
    if (this.conditions.duplication > 0 && this.#dice.fraction() < this.conditions.duplication)
      this.#deliver(from, to, packet);
  }

  /** For the streams: how long one segment takes, with all the times it was lost on its way. */
  segmentDelay(firstWait = firstSegmentWait): number {
    let delay = this.delay();
    for (let wait = firstWait; this.#lost() && wait < 60_000; wait *= 2) delay += wait;
    return delay;
  }

  /** For the transports: connects, unless the way is cut, which nobody is told of. */
  connect(from: MemoryTransport, to: Place, outcome: DialOutcome): () => void {
    let dropped = false;
    let opened: MemoryStream | undefined;
    const roundTrip = this.segmentDelay(firstSynWait) + this.segmentDelay(firstSynWait);
    this.timers.after(roundTrip, () => {
      if (dropped || !from.isOpen || this.#isCut(from.place, to) || this.#isCut(to, from.place)) return;
      const there = this.#at(to);
      if (there === undefined) return outcome.failed("connection refused");
      const [near, far] = streamPair(this, from.place, to);
      opened = near;
      from.hold(near);
      outcome.opened(near);
      there.accept(far);
    });
    return () => {
      dropped = true;
      opened?.destroy();
    };
  }

  forget(transport: MemoryTransport): void {
    const { address, port } = transport.place;
    if (this.#at(transport.place) === transport) this.#nodes.get(address)?.delete(port);
  }

  delay(): number {
    const [least, most] = this.conditions.delay;
    return least === most ? least : least + this.#dice.fraction() * (most - least);
  }

  #at({ address, port }: Place): MemoryTransport | undefined {
    return this.#nodes.get(address)?.get(port);
  }

  #lost(): boolean {
    return this.conditions.loss > 0 && this.#dice.fraction() < this.conditions.loss;
  }

  #deliver(from: Place, to: Place, packet: Buffer): void {
    this.timers.after(this.delay(), () => {
      if (!this.#isCut(from, to)) this.#at(to)?.receive(packet, from);
    });
  }
}

class MemoryTransport implements Transport {
  readonly place: Place;
  readonly traffic: TrafficCount = { packetsSent: 0, packetBytesSent: 0, streamBytesSent: 0 };
  readonly #network: MemoryNetwork;
  readonly #streams = new Set<MemoryStream>();
  #events: TransportEvents | undefined;
  #open = true;

  constructor(network: MemoryNetwork, place: Place) {
    this.#network = network;
    this.place = place;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  start(events: TransportEvents): void {
    this.#events = events;
  }

  send(to: Place, packet: Buffer): void {
    if (!this.#open) return;
    this.traffic.packetsSent++;
    this.traffic.packetBytesSent += packet.length;
    this.#network.carry(this.place, to, packet);
  }

  dial(to: Place, outcome: DialOutcome): () => void {
    return this.#network.connect(this, to, outcome);
  }

  receive(packet: Buffer, from: Place): void {
    this.#events?.packet(packet, from);
  }

  accept(stream: MemoryStream): void {
    this.hold(stream);
    if (this.#events === undefined) stream.destroy();
    else this.#events.stream(stream);
  }

  /** Counts what the stream sends, and gives it up with the node. */
  hold(stream: MemoryStream): void {
    this.#streams.add(stream);
    stream.onSent = (bytes) => {
      this.traffic.streamBytesSent += bytes;
    };
    stream.onGone = () => this.#streams.delete(stream);
  }

  async close(): Promise<void> {
    this.#open = false;
    this.#events = undefined;
    for (const stream of [...this.#streams]) stream.destroy();
    this.#network.forget(this);
  }
}
