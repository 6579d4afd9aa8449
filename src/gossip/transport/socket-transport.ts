import type { Socket as UdpSocket } from "node:dgram";
import type { Server, Socket } from "node:net";
import { familyOf, type IpAddress, messageOf, WeftError } from "../../core/index.ts";
import { processSockets, type SocketSource } from "./sockets.ts";
import {
  type DialOutcome,
  type Place,
  placeText,
  type Stream,
  type StreamEvents,
  type Transport,
  type TransportEvents,
} from "./transport.ts";

/** What is asked of the kernel for packets that wait, bytes; it may give less (gossip.md B.6). */
const receiveBufferBytes = 2 << 20;
/** Connections from others at a time; more are refused. */
const maxConnections = 512;
/** Packets that the kernel cannot take at once wait up to this many bytes; the rest is dropped, as UDP may. */
const maxUnsentBytes = 4 << 20;
/** How often another port is tried when any will do and only UDP had it free. */
const portTries = 16;

/** Where a node's sockets are, and what others are told. */
export interface SocketTransportInit {
  /** Port 0: any that is free. */
  readonly bind: Place;
  /** What others are told; the bound address when none is given. */
  readonly advertise?: { readonly address?: IpAddress; readonly port?: number };
  readonly sockets?: SocketSource;
}

/** Opens real sockets, UDP and TCP on one port. Rejects with GOSSIP_UNREACHABLE when they cannot be bound. */
export async function openSocketTransport(init: SocketTransportInit): Promise<Transport> {
  const { bind, advertise, sockets = processSockets } = init;
  for (let attempt = 1; ; attempt++) {
    try {
      const udp = await sockets.udp(bind);
      const { port } = udp.address();
      const tcp = await sockets.tcp({ address: bind.address, port }).catch((error: unknown) => {
        udp.close();
        throw error;
      });
      const place = { address: advertise?.address ?? bind.address, port: advertise?.port ?? port };
      return new SocketTransport(udp, tcp, place, sockets);
    } catch (cause) {
      if (bind.port === 0 && attempt < portTries) continue;
      throw new WeftError("GOSSIP_UNREACHABLE", `cannot listen on ${placeText(bind)}: ${messageOf(cause)}`, {
        cause,
      });
    }
  }
}

class SocketTransport implements Transport {
  readonly place: Place;
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #source: SocketSource;
  readonly #sixOnly: boolean;
  readonly #streams = new Set<SocketStream>();
  readonly #dialing = new Set<Socket>();
  #events: TransportEvents | undefined;
  #open = true;

  constructor(udp: UdpSocket, tcp: Server, place: Place, source: SocketSource) {
    this.#udp = udp;
    this.#tcp = tcp;
    this.place = place;
    this.#source = source;
    this.#sixOnly = udp.address().family === "IPv6";
    udp.on("error", () => {}); // a packet could not be sent, as others are lost
    udp.on("message", (packet, from) => this.#events?.packet(packet, placeOf(from.address, from.port)));
    tcp.maxConnections = maxConnections;
    tcp.on("error", () => {}); // one connection could not be accepted
    tcp.on("connection", (socket) => this.#accept(socket));
    try {
      udp.setRecvBufferSize(receiveBufferBytes);
    } catch {
      // The kernel's own size has to do.
    }
  }

  start(events: TransportEvents): void {
    this.#events = events;
  }

  send({ address, port }: Place, packet: Buffer): void {
    if (!this.#open || this.#udp.getSendQueueSize() > maxUnsentBytes) return;
    const target = this.#reachable(address);
    if (target !== undefined) this.#udp.send(packet, port, target, ignore);
  }

  dial(to: Place, outcome: DialOutcome): () => void {
    const socket = this.#source.connect(to);
    this.#dialing.add(socket);
    socket.once("close", () => this.#dialing.delete(socket));
    let isGivenUp = false;
    socket.once("error", (error) => {
      if (!isGivenUp && this.#open) outcome.failed(error.message);
      isGivenUp = true; // a stream has its own ears
    });
    socket.once("connect", () => {
      isGivenUp = true;
      this.#dialing.delete(socket);
      outcome.opened(this.#hold(socket, to));
    });
    return () => {
      isGivenUp = true;
      socket.destroy();
    };
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    this.#events = undefined;
    for (const stream of [...this.#streams]) stream.destroy();
    for (const socket of [...this.#dialing]) socket.destroy();
    const udpClosed = new Promise<void>((resolve) => this.#udp.close(() => resolve()));
    const tcpClosed = new Promise<void>((resolve) => this.#tcp.close(() => resolve()));
    await Promise.all([udpClosed, tcpClosed]);
  }

  #accept(socket: Socket): void {
    const stream = this.#hold(socket, placeOf(socket.remoteAddress ?? "0.0.0.0", socket.remotePort ?? 0));
    if (this.#events === undefined) stream.destroy();
    else this.#events.stream(stream);
  }

  #hold(socket: Socket, remote: Place): SocketStream {
    const stream = new SocketStream(socket, remote);
    this.#streams.add(stream);
    socket.once("close", () => this.#streams.delete(stream));
    return stream;
  }

  /** The address as this socket's family writes it; undefined when the family cannot reach it. */
  #reachable(address: IpAddress): string | undefined {
    if (familyOf(address) === 4) return this.#sixOnly ? `::ffff:${address}` : address;
    return this.#sixOnly ? address : undefined;
  }
}

function ignore(): void {}

class SocketStream implements Stream {
  readonly remote: Place;
  readonly #socket: Socket;
  #events: StreamEvents | undefined;

  constructor(socket: Socket, remote: Place) {
    this.#socket = socket;
    this.remote = remote;
    socket.on("error", ignore); // "close" follows
    socket.on("data", (chunk: Buffer) => this.#events?.data(chunk));
    socket.once("end", () => this.#closed());
    socket.once("close", () => this.#closed());
  }

  listen(events: StreamEvents): void {
    this.#events = events;
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  end(): void {
    this.#socket.destroySoon(); // ends as soon as all is sent, whether or not the other side does
  }

  destroy(): void {
    this.#events = undefined;
    this.#socket.destroy();
  }

  #closed(): void {
    const events = this.#events;
    this.#events = undefined;
    events?.closed();
  }
}

/** IPv4 that came by an IPv6 socket is IPv4. What Node tells is canonical otherwise, but for a zone. */
function placeOf(text: string, port: number): Place {
  const plain = text.startsWith("::ffff:") && text.includes(".") ? text.slice(7) : text.replace(/%.*$/, "");
  return { address: plain as IpAddress, port };
}
