/** Floods the resolver of a sandbox with messages over UDP until it is told to stop. */
import { workerData } from "node:worker_threads";
import { openUdpTo } from "../../src/kernel/client-sockets.ts";
import * as sys from "../../src/kernel/syscalls.ts";
import { resolver } from "./sandbox-client.ts";

/** What it is started with. */
export interface FloodOrder {
  readonly netnsPath: string;
  /** Sent in turn, again and again; the id of each is another every time. */
  readonly messages: readonly Uint8Array[];
  /** One number, which is not 0 when it is to stop. */
  readonly stop: Int32Array;
}

const { netnsPath, messages, stop }: FloodOrder = workerData; // who starts it gives one
const fd = openUdpTo(netnsPath, resolver);
const copies = messages.map((message) => Buffer.from(message));
for (let id = 0; Atomics.load(stop, 0) === 0; id++) {
  const message = copies[id % copies.length];
  if (message === undefined) break;
  message.writeUInt16BE(id & 0xffff, 0);
  sys.send(fd, message, "send", "resolver"); // what has no room is lost, as it is on any network
}
sys.close(fd);
