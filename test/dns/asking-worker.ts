/** Asks a DNS server once when told to, and wakes whoever waits on a shared number with the answer's length. */
import { createSocket } from "node:dgram";
import { parentPort } from "node:worker_threads";

/** What it is told. */
export interface AskOrder {
  readonly port: number;
  readonly query: Uint8Array;
  readonly answered: Int32Array;
}

const socket = createSocket("udp4");
socket.bind(0, "127.0.0.1", () => parentPort?.postMessage("ready"));
parentPort?.on("message", ({ port, query, answered }: AskOrder) => {
  socket.once("message", (reply) => {
    Atomics.store(answered, 0, reply.length);
    Atomics.notify(answered, 0);
    socket.close();
    parentPort?.close();
  });
  socket.send(query, port, "127.0.0.1");
});
