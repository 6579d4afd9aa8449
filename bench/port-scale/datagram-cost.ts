import { parseAddress } from "../../src/core/index.ts";
import * as sys from "../../src/kernel/syscalls.ts";
import { socketAddress } from "../../src/ports/socket-address.ts";
import { runProgram } from "../../test/peers/programs.ts";
import { type Place, placeAt } from "../../test/place.ts";
import { bindIn } from "../../test/ports/netns-sockets.ts";
import { quantile } from "../measure.ts";

/** Ports of servers that never read: what a datagram costs ends where it lies in their queue, or found it full. */
export const [firstSink, knownSink] = [5301, 5302];
/** The port that the known flow is sent from. */
const knownPort = 40_000;

/** How many datagrams are timed together: so few that other programs seldom come in between. */
const [newAtOnce, knownAtOnce] = [30, 100];
/** How many flows begin each time that those before were forgotten. */
const newFlows = 10 * newAtOnce;

/** A way from one namespace to another by way of a host that translates. */
export interface DatagramWay {
  /** The host's namespace. */
  readonly host: string;
  /** The namespace where it begins, and an address of it. */
  readonly client: string;
  readonly from: string;
  /** The address that is asked. */
  readonly address: string;
  /** The namespace where it ends, an address of it, and the one that is seen there as the client's. */
  readonly server: string;
  readonly at: string;
  readonly seen: string;
}

/**
 * Sends datagrams by one way. A veth pair hands a packet over on the sender's processor and in its time, so
 * a call that sends takes as long as the packet's whole way does.
 */
export class DatagramSender {
  readonly #way: DatagramWay;
  readonly #sinks: readonly number[];
  readonly #known: number;
  readonly #new: readonly number[];

  private constructor(way: DatagramWay, sinks: readonly number[], known: number, others: readonly number[]) {
    this.#way = way;
    this.#sinks = sinks;
    this.#known = known;
    this.#new = others;
  }

  /** Opens the sockets of a way, and lets the known flow be known. */
  static open(way: DatagramWay): DatagramSender {
    const [client, server] = [placeAt("client", way.client), placeAt("server", way.server)];
    const sinks = [firstSink, knownSink].map((port) => bindIn(server, way.at, port, sys.SOCK_DGRAM));
    const known = connected([client, way.from, knownPort], way.address, knownSink);
    const others = Array.from({ length: newFlows }, () =>
      connected([client, way.from, 0], way.address, firstSink),
    );
    const sender = new DatagramSender(way, sinks, known, others);
    sys.send(known, datagram, "send", "a known flow");
    const [, sink = -1] = sinks;
    sys.connect(sink, socketAddress(parseAddress(way.seen), knownPort), way.seen);
    sys.send(sink, datagram, "send", "a known flow");
    return sender;
  }

  /** How long a datagram of a known flow takes, µs. */
  known(): number {
    const start = performance.now();
    for (let i = 0; i < knownAtOnce; i++) sys.send(this.#known, datagram, "send", "a known flow");
    return ((performance.now() - start) * 1000) / knownAtOnce;
  }

  /** How long the first datagram of a flow takes, µs; a median. Forgets all of the host's flows. */
  async first(): Promise<number> {
    await runProgram(this.#way.host, "conntrack", ["--flush"]);
    const times: number[] = [];
    for (let begun = 0; begun < newFlows; begun += newAtOnce) {
      const flows = this.#new.slice(begun, begun + newAtOnce);
      const start = performance.now();
      for (const fd of flows) sys.send(fd, datagram, "send", "a new flow");
      times.push(((performance.now() - start) * 1000) / newAtOnce);
    }
    return quantile(times, 0.5);
  }

  close(): void {
    for (const fd of [...this.#sinks, this.#known, ...this.#new]) sys.close(fd);
  }
}

const datagram = Buffer.alloc(32);

function connected(
  [from, own, port]: readonly [from: Place, own: string, port: number],
  address: string,
  to: number,
): number {
  const fd = bindIn(from, own, port, sys.SOCK_DGRAM);
  sys.connect(fd, socketAddress(parseAddress(address), to), `${address}:${to}`);
  return fd;
}
