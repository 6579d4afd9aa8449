import type { Socket } from "node:net";
import { TcpConnection, type TcpInit } from "./tcp-connection.ts";
import { TurnShare } from "./turn-share.ts";

/** Work for one sandbox in one turn of the event loop, over all of its connections, see workOf: about 0.5 ms. */
const unitsPerTurn = 128;

/**
 * The TCP connections of one sandbox: no more at a time than it may have. When one more comes, that which
 * has asked nothing for longest makes way, so that nobody can keep others out by connections that stand
 * still; one that waits for an answer goes only when all do.
 */
export class TcpConnections {
  readonly #init: TcpInit;
  readonly #turns = new TurnShare(unitsPerTurn);
  /** Those that count; the one whose last query, or whose beginning, is longest ago comes first. */
  readonly #live = new Set<TcpConnection>();
  readonly #sockets = new Set<Socket>();

  constructor(init: TcpInit) {
    this.#init = init;
  }

  /** Every socket that is not closed yet. */
  get sockets(): ReadonlySet<Socket> {
    return this.#sockets;
  }

  /** Takes a new connection, or closes it when there is no place for it. */
  take(socket: Socket): void {
    const { counters } = this.#init;
    if (!this.#makeRoom()) {
      counters.connectionsRefused++;
      socket.destroy();
      return;
    }
    counters.connections++;
    this.#sockets.add(socket);
    const connection = new TcpConnection(socket, {
      ...this.#init,
      turns: this.#turns,
      asks: () => this.#noteQuery(connection),
    });
    this.#live.add(connection);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.#forget(connection);
    });
  }

  /** Takes the place of one more connection; false when there is none, and none of this sandbox's to make way. */
  #makeRoom(): boolean {
    const { limits, places } = this.#init;
    if (this.#live.size < limits.maxConnections && places.take()) return true;
    const idlest = this.#idlest();
    if (idlest === undefined) return false;
    this.#forget(idlest); // its descriptor is closed at once, what is told of that comes later
    idlest.cut();
    return places.take();
  }

  #idlest(): TcpConnection | undefined {
    let first: TcpConnection | undefined;
    for (const connection of this.#live) {
      if (!connection.isWaiting) return connection;
      first ??= connection;
    }
    return first;
  }

  #noteQuery(connection: TcpConnection): void {
    if (this.#live.delete(connection)) this.#live.add(connection);
  }

  #forget(connection: TcpConnection): void {
    if (this.#live.delete(connection)) this.#init.places.give();
  }
}
