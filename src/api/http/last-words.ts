import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { WeftError } from "../../core/index.ts";
import { errorBody, statusOf } from "./refusal.ts";
import { hasBody } from "./request-body.ts";

/**
 * Refuses on a connection that has no request to answer, or none that can be parsed, and closes it. Whatever
 * else the client sends is not read.
 */
export function refuseConnection(socket: Socket, error: WeftError, lingerMs: number): void {
  if (!socket.writable) return void socket.destroy();
  const status = statusOf(error);
  const body = JSON.stringify(errorBody(error));
  closeSoon(socket, lingerMs);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/**
 * Makes the connection of a request whose body has not come yet close so that its client can read the answer:
 * a socket that is closed with unread bytes is reset, and the answer may be lost. So only the sending half is
 * closed at once, and nothing more is read. True when there is such a body; the answer then has to say
 * `Connection: close`.
 */
export function leaveUnread(incoming: IncomingMessage, lingerMs: number): boolean {
  if (incoming.complete || !hasBody(incoming)) return false;
  incoming.read(0); // counts as begun: Node reads on and discards what nobody has begun to read
  incoming.pause();
  const { socket } = incoming;
  // Node calls this when the answer has been written, and would close both halves.
  socket.destroySoon = () => {
    closeSoon(socket, lingerMs);
    socket.end();
  };
  return true;
}

function closeSoon(socket: Socket, lingerMs: number): void {
  socket.pause();
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once("close", () => clearTimeout(timer));
}
