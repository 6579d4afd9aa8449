// A name server that a sandbox's owner might run: on port 53 of every address, it answers any question
// with the address in its argument, 203.0.113.7 without. It says "ready" when it serves.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { decode, encode, type Packet, streamEncode } from "dns-packet";

function answer(message: Buffer): Packet {
  const { id, questions } = decode(message);
  const [name = ""] = questions?.map((question) => question.name) ?? [];
  return {
    type: "response",
    ...(id === undefined ? {} : { id }),
    ...(questions === undefined ? {} : { questions }),
    answers: [{ type: "A", name, ttl: 1, data: process.argv[2] ?? "203.0.113.7" }],
  };
}

const udp = createSocket("udp4");
udp.on("message", (message, { address, port }) => udp.send(encode(answer(message)), port, address));
// The queries of these tests come in one piece.
const tcp = createServer((socket) =>
  socket.on("data", (data: Buffer) => socket.end(streamEncode(answer(data.subarray(2))))),
);
udp.bind(53, "0.0.0.0");
tcp.listen(53, "0.0.0.0");
await Promise.all([once(udp, "listening"), once(tcp, "listening")]);
process.stdout.write("ready\n");
