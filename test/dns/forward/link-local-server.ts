/**
 * A program for namespaces.test.ts, run in the namespace of its interfaces, which Node wants the names of: a name
 * server on every address and port 53, whose answers are too long for UDP. It prints what it was asked over.
 */
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { Framer } from "../../../src/dns/framing.ts";
import { framed } from "../clients.ts";
import { aRecords, responseTo } from "./upstream-samples.ts";

const udp = createSocket("udp6");
const tcp = createServer();
udp.on("message", (query, from) => {
  console.log("udp");
  udp.send(responseTo(query, { flags: 0x0200 }), from.port, from.address);
});
tcp.on("connection", (socket) => {
  const framer = new Framer(65_535);
  socket.on("data", (chunk) => {
    framer.push(chunk);
    const frame = framer.next();
    if (frame?.kind !== "message") return;
    console.log("tcp");
    const query = Buffer.from(frame.message);
    socket.end(framed(responseTo(query, { answers: aRecords("www.example.org", 0, "192.0.2.1") })));
  });
});
udp.bind(53, "::", () => tcp.listen(53, "::", () => console.log("listening")));
