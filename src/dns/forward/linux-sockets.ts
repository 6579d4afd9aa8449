import { createSocket } from "node:dgram";
import { Socket } from "node:net";
import { familyOf } from "../../core/index.ts";
import { openTcpFor, openUdpTo, type Peer, sendDatagram } from "../../kernel/client-sockets.ts";
import { discardFd } from "../fd.ts";
import { Framer } from "../framing.ts";
import { largestTcpBytes } from "../protocol.ts";
import { lookAtSocket } from "./looked-at-socket.ts";
import { portOf, type UpstreamServer } from "./upstream-server.ts";
import type { UpstreamSocket, UpstreamSocketEvents, UpstreamSockets } from "./upstream-sockets.ts";

/** Sockets of the machine, each opened in the namespace of its server, which it never leaves. */
export const linuxSockets: UpstreamSockets = { udp: openUdp, tcp: openTcp };

function peerOf(server: UpstreamServer): Peer {
  const { address, zone } = server;
  return { address, port: portOf(server), ...(zone === undefined ? {} : { zone }) };
}

/**
 * The namespace is opened by its path each time: a descriptor that were kept would keep the namespace of
 * a sandbox alive after its end, and its interfaces with it.
 */
function openUdp(server: UpstreamServer, query: Uint8Array, events: UpstreamSocketEvents): UpstreamSocket {
  const peer = peerOf(server);
  const fd = openUdpTo(server.netns, peer);
  if (peer.zone !== undefined) return askBehindInterface(fd, query, events);
  const socket = createSocket(familyOf(peer.address) === 4 ? "udp4" : "udp6");
  try {
    sendDatagram(fd, query);
    socket.bind({ fd, exclusive: true }); // takes the descriptor at once, and reads from it
  } catch (error) {
    socket.close();
    discardFd(fd);
    throw error;
  }
  let open = true;
  socket.on("message", (message) => {
    if (open) events.message(message);
  });
  socket.on("error", () => {
    if (open) events.failed();
  });
  return {
    close: () => {
      if (open) socket.close();
      open = false;
    },
  };
}

function askBehindInterface(fd: number, query: Uint8Array, events: UpstreamSocketEvents): UpstreamSocket {
  try {
    sendDatagram(fd, query);
  } catch (error) {
    discardFd(fd);
    throw error;
  }
  return lookAtSocket(fd, events);
}

function openTcp(server: UpstreamServer, query: Uint8Array, events: UpstreamSocketEvents): UpstreamSocket {
  const peer = peerOf(server);
  const fd = openTcpFor(server.netns, peer);
  // Without pauseOnCreate, which Node uses itself, it would read before it is connected, and fail.
  const options = { fd, readable: true, writable: true, pauseOnCreate: true };
  const socket = new Socket(options);
  const framer = new Framer(largestTcpBytes);
  let open = true;
  const close = () => {
    open = false;
    socket.destroy();
  };
  socket.on("data", (chunk: Buffer) => {
    framer.push(chunk);
    for (let frame = framer.next(); open && frame?.kind === "message"; frame = framer.next()) {
      events.message(frame.message);
    }
  });
  socket.on("error", () => {}); // followed by "close"
  socket.on("close", () => {
    if (open) events.failed();
    open = false;
  });
  socket.connect({ host: peer.address, port: peer.port });
  socket.write(Buffer.concat([Buffer.of(query.length >> 8, query.length & 0xff), query])); // in one segment (RFC 7766 §8)
  socket.resume();
  return { close };
}
