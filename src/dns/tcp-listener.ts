import { once } from "node:events";
import { createServer, type Server } from "node:net";
import * as sys from "../kernel/syscalls.ts";
import { closeIfStillOwned, ownFd } from "./fd.ts";
import type { Listener } from "./listener.ts";
import type { TcpInit } from "./tcp-connection.ts";
import { TcpConnections } from "./tcp-connections.ts";

/**
 * Bytes of answers that the kernel holds for a client that does not read them, of which it makes twice as
 * many for its own needs. By itself it would give 4 MB to each connection.
 */
const kernelUnsentBytes = 65_536;

/**
 * Answers the queries of connections to `fd`, a bound TCP socket, listening or not, which belongs to
 * the listener from now on, also when this fails. Rejects with what the socket says.
 */
export async function listenTcp(fd: number, init: TcpInit): Promise<Listener> {
  const owned = ownFd(fd);
  const connections = new TcpConnections(init);
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => connections.take(socket));
  try {
    sys.setsockopt(fd, sys.SOL_SOCKET, sys.SO_SNDBUF, kernelUnsentBytes); // connections inherit it
    await listen(server, fd);
  } catch (error) {
    closeIfStillOwned(owned);
    throw error;
  }
  server.on("error", () => init.counters.connectionsRefused++); // accept failed, for want of descriptors
  const closed = new Promise<void>((resolve) => server.once("close", resolve));
  const close = async () => {
    if (server.listening) server.close();
    const gone = [...connections.sockets].map((socket) => once(socket.destroy(), "close"));
    await Promise.all([closed, ...gone]);
  };
  return { close };
}

function listen(server: Server, fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ fd, exclusive: true }, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}
