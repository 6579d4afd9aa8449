/**
 * Asks a name server one question at a time, a millisecond after each answer, until SIGTERM comes; then
 * prints how long each took, in ms, as JSON. It waits for an answer inside the system call, so that nothing
 * but the kernel and the server is measured. Arguments: the server's IPv4 address, the name.
 */
import { setTimeout as delay } from "node:timers/promises";
import { encode, RECURSION_DESIRED } from "dns-packet";
import { isKernelError } from "../../src/kernel/kernel-error.ts";
import * as sys from "../../src/kernel/syscalls.ts";
import type { AskerFigures } from "./asker.ts";

const pauseMs = 1;
/** An answer that takes longer is lost, as it is for a stub resolver. */
const limitMs = 1000;
const [server = "", name = ""] = process.argv.slice(2);

const address = Buffer.alloc(16); // struct sockaddr_in
address.writeUInt16LE(sys.AF_INET, 0);
address.writeUInt16BE(53, 2);
address.set(server.split(".").map(Number), 4);
const fd = sys.socket(sys.AF_INET, sys.SOCK_DGRAM, 0);
sys.connect(fd, address, server);
sys.setReceiveTimeout(fd, limitMs);

const latenciesMs: number[] = [];
let lost = 0;
let stopped = false;
process.once("SIGTERM", () => {
  stopped = true;
});

const answer = Buffer.alloc(4096);
for (let id = 0; !stopped; id = (id + 1) & 0xffff) {
  const query = encode({ type: "query", id, flags: RECURSION_DESIRED, questions: [{ name, type: "A" }] });
  const start = performance.now();
  sys.send(fd, query, "send", server);
  try {
    if (answered(id)) latenciesMs.push(performance.now() - start);
    else lost++;
  } catch (error) {
    if (!isKernelError(error, "EINTR")) throw error; // SIGTERM, while it waited
  }
  if (id === 0) console.log("ready");
  await delay(pauseMs);
}
const figures: AskerFigures = { lost, latenciesMs };
console.log(JSON.stringify(figures));

/** Waits for the answer with this id; false when it does not come in time. */
function answered(id: number): boolean {
  try {
    do sys.recv(fd, answer, 0, server);
    while (answer.readUInt16BE(0) !== id);
    return true;
  } catch (error) {
    if (isKernelError(error, "EAGAIN")) return false;
    throw error;
  }
}
