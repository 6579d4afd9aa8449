import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { connect, createServer, type Server, type Socket } from "node:net";
import { familyOf } from "../../core/index.ts";
import type { Place } from "./transport.ts";

/**
 * Where the sockets of a node come from. {@link processSockets} opens them in the process's own network namespace;
 * who serves another one opens them there (weft's kernel layer does), or hands over sockets that are bound already.
 */
export interface SocketSource {
  /** A bound UDP socket. Rejects when it cannot be. */
  udp(place: Place): Promise<UdpSocket>;
  /** A listening TCP server. Rejects when it cannot be. */
  tcp(place: Place): Promise<Server>;
  /** A TCP socket that connects. */
  connect(place: Place): Socket;
}

/** Sockets of the namespace that the process lives in. */
export const processSockets: SocketSource = {
  async udp({ address, port }) {
    const socket = createSocket({ type: familyOf(address) === 6 ? "udp6" : "udp4", lookup: addressItself });
    try {
      await bound(socket, "listening", () => socket.bind({ address, port, exclusive: true }));
      return socket;
    } catch (error) {
      socket.close();
      throw error;
    }
  },
  async tcp({ address, port }) {
    const server = createServer({ noDelay: true });
    await bound(server, "listening", () => server.listen({ host: address, port, exclusive: true }));
    return server;
  },
  connect: ({ address, port }) => connect({ host: address, port, noDelay: true }),
};

function bound(socket: UdpSocket | Server, event: string, start: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once(event, () => {
      socket.removeListener("error", reject);
      resolve();
    });
    start();
  });
}

/** Packets go to addresses, so nothing is looked up; Node's own way takes a turn of the event loop for each. */
function addressItself(
  host: string,
  _options: unknown,
  callback: (error: null, address: string, family: 4 | 6) => void,
): void {
  callback(null, host, familyOf(host));
}
