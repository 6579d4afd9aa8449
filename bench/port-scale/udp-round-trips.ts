/**
 * A program: sends datagrams to an address and a port and sends each again when it comes back, for so many
 * seconds. Prints how many came back in a second.
 */
import { createSocket } from "node:dgram";

const [address = "", port = "", seconds = ""] = process.argv.slice(2);
const inFlight = 32;
/** How often it looks whether any came back, ms: those that were lost are replaced then. */
const patienceMs = 100;

const socket = createSocket("udp4");
const datagram = Buffer.alloc(32);
let returned = 0;
let before = 0;

const fill = () => {
  for (let i = 0; i < inFlight; i++) socket.send(datagram);
};

socket.on("message", () => {
  returned++;
  socket.send(datagram);
});
socket.connect(Number(port), address, () => {
  const start = performance.now();
  fill();
  const again = setInterval(() => {
    if (returned === before) fill();
    before = returned;
  }, patienceMs);
  setTimeout(() => {
    clearInterval(again);
    socket.close();
    console.log(returned / ((performance.now() - start) / 1000));
  }, Number(seconds) * 1000);
});
