import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { familyOf } from "../../core/index.ts";
import type { SocketSource } from "./sockets.ts";

/** Runs synchronous work somewhere else, in another network namespace say, and comes back. */
export type Enter = <T>(work: () => T) => T;

/**
 * Sockets of the place that `enter` goes to, which they stay in for good. Node opens a socket at once only when no
 * name is looked up: so lookups answer at once here, and the TCP server listens on every address of the port, and
 * gives up who comes to another one than the node's.
 */
export function socketsWithin(enter: Enter): SocketSource {
  return {
    async udp({ address, port }) {
      const family = familyOf(address);
      const lookup: Lookup = (host, _options, callback) => callback(null, host, familyOf(host));
      const socket = createSocket({ type: family === 6 ? "udp6" : "udp4", lookup });
      const listening = once(socket, "listening"); // which comes at once
      enter(() => socket.bind({ address, port, exclusive: true }));
      try {
        await listening;
        return socket;
      } catch (error) {
        socket.close();
        throw error;
      }
    },
    async tcp({ address, port }) {
      const server = createServer({ noDelay: true });
      const wanted = address === "0.0.0.0" || address === "::" ? undefined : address;
      server.prependListener("connection", (socket) => {
        const local = socket.localAddress?.replace(/^::ffff:(?=.*\.)/, "");
        if (wanted !== undefined && local !== wanted) socket.destroy();
      });
      enter(() => server.listen({ port, exclusive: true }));
      await once(server, "listening");
      return server;
    },
    connect: ({ address, port }) =>
      enter(() =>
        connect({
          host: "peer", // no address, or Node would connect at a later turn, and elsewhere
          port,
          family: familyOf(address),
          noDelay: true,
          lookup: (_host, _options, callback) => callback(null, address, familyOf(address)),
        }),
      ),
  };
}

type Lookup = (
  host: string,
  options: unknown,
  callback: (error: null, address: string, family: 4 | 6) => void,
) => void;
