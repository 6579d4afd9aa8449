import * as sys from "../../kernel/syscalls.ts";
import type { UpstreamSocket, UpstreamSocketEvents } from "./upstream-sockets.ts";

/** When a socket is looked at after its query, ms: soon, for the server is on the link, and then ever less often. */
const firstLookMs = 1;
const lastLookMs = 50;
/** The part of its waiting by which a look may come late. */
const lateness = 1 / 4;
/** The largest UDP message, bytes. */
const largestDatagram = 65_535;

/**
 * Takes the answers off a UDP socket that Node cannot read: with each datagram it asks for the name of the
 * interface that a link-local sender is behind, in the thread's own namespace, and gives the datagram up when there is
 * none of that number. The descriptor is closed with what this gives.
 */
export function lookAtSocket(fd: number, events: UpstreamSocketEvents): UpstreamSocket {
  const sent = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const close = () => {
    if (timer === undefined) return;
    clearTimeout(timer);
    timer = undefined;
    sys.close(fd);
  };
  const lookLater = () => {
    const delay = Math.min(lastLookMs, Math.max(firstLookMs, (performance.now() - sent) * lateness));
    timer = setTimeout(look, delay);
  };
  const look = () => {
    const message = received(fd);
    if (message === undefined) lookLater();
    else if (message === "failed") events.failed();
    else {
      lookLater();
      events.message(message);
    }
  };
  lookLater();
  return { close };
}

const buffer = Buffer.allocUnsafeSlow(largestDatagram);

/** The next datagram, if there is one. */
function received(fd: number): Uint8Array | "failed" | undefined {
  try {
    const length = sys.recvNow(fd, buffer, `fd ${fd}`);
    return length === undefined ? undefined : Uint8Array.prototype.slice.call(buffer, 0, length);
  } catch {
    return "failed"; // ECONNREFUSED, ENETDOWN: no answer comes
  }
}
