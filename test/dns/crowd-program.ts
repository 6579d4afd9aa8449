// Opens as many TCP connections to the resolver of its namespace as its argument says, and trickles bytes of
// queries that never become whole into those that stay open. It says "opened" when it has opened them all.
import { connect, type Socket } from "node:net";

const count = Number(process.argv[2]);
const atOnce = 100;
const open = new Set<Socket>();
let begun = 0;
let connected = 0;

function openNext(): void {
  if (begun === count) return;
  begun++;
  const socket = connect({ host: "127.0.0.11", port: 61_053 });
  socket.on("connect", () => {
    open.add(socket);
    socket.write(Buffer.of(0, 40, 1)); // a length, and less than that
    if (++connected === count) process.stdout.write("opened\n");
    openNext();
  });
  socket.on("error", () => {}); // it had to make way
  socket.on("close", () => open.delete(socket));
  socket.resume();
}

for (let i = 0; i < atOnce; i++) openNext();
setInterval(() => {
  const [oldest] = open;
  if (oldest === undefined) return;
  open.delete(oldest);
  if (oldest.destroyed) return;
  open.add(oldest);
  oldest.write(Buffer.of(1));
}, 1);
