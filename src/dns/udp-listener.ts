import { createSocket, type Socket } from "node:dgram";
import type { Ipv4Peer } from "../kernel/datagram-batch.ts";
import type { DnsCounters } from "./counters.ts";
import { closeIfStillOwned, ownFd } from "./fd.ts";
import type { Listener } from "./listener.ts";
import type { Reply, Respond } from "./responder.ts";
import { UdpBursts } from "./udp-bursts.ts";

/** Late answers the kernel cannot take at once wait in memory up to this many bytes; the rest is dropped, as UDP may. */
const maxUnsentBytes = 1 << 20;
/**
 * What is asked of the kernel for queries that wait, bytes, counting some 800 for each; it gives no
 * more than twice net.core.rmem_max, 416 KiB unless that was changed. Its default is half of that, too little
 * for 200 queries at once; one that is lost costs its client seconds.
 */
const receiveBufferBytes = 1 << 19;

/**
 * Answers the queries that come to `fd`, a bound IPv4 UDP socket, which belongs to the listener from
 * now on, also when this fails. Rejects with what the socket says.
 *
 * Node's socket waits, and hands over the first datagram of a burst; {@link UdpBursts} takes and answers
 * the rest by calls of its own. Answers that come late leave by Node's socket.
 */
export async function listenUdp(fd: number, respond: Respond, counters: DnsCounters): Promise<Listener> {
  const owned = ownFd(fd);
  const socket = createSocket({ type: "udp4", lookup: addressItself });
  const closed = new Promise<void>((resolve) => socket.once("close", resolve));
  try {
    await bind(socket, fd);
    socket.setRecvBufferSize(receiveBufferBytes);
  } catch (error) {
    socket.close();
    await closed;
    closeIfStillOwned(owned);
    throw error;
  }
  let open = true;
  socket.on("error", () => counters.dropped++); // one answer could not be sent; the next may
  const sendLate = (reply: Reply, to: Ipv4Peer) => {
    if (open) send(socket, reply, to, counters);
  };
  const bursts = new UdpBursts(fd, { respond, counters, sendLate });
  socket.on("message", (message, from) => bursts.take(message, from));
  const close = () => {
    bursts.end();
    if (open) socket.close();
    open = false;
    return closed;
  };
  return { close };
}

function bind(socket: Socket, fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("listening", () => {
      socket.removeListener("error", reject);
      resolve();
    });
    socket.bind({ fd, exclusive: true });
  });
}

function send(socket: Socket, reply: Reply, to: Ipv4Peer, counters: DnsCounters): void {
  if (reply === undefined) return;
  if (socket.getSendQueueSize() > maxUnsentBytes) counters.dropped++;
  else socket.send(reply, to.port, to.address);
}

/** Datagrams come from addresses, so nothing is looked up; Node's own way takes a turn of the event loop. */
function addressItself(
  host: string,
  _options: unknown,
  callback: (error: null, address: string, family: 4) => void,
): void {
  callback(null, host, 4);
}
