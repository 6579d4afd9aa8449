/** Answers whatever comes to 127.0.0.1:53 with one made-up answer and the id of the question. */
import { createSocket } from "node:dgram";
import { AUTHORITATIVE_ANSWER, encode } from "dns-packet";
import { knownName } from "./peer.ts";

const answer = encode({
  type: "response",
  id: 0,
  flags: AUTHORITATIVE_ANSWER,
  questions: [{ name: knownName, type: "A" }],
  answers: [{ name: knownName, type: "A", ttl: 5, data: "10.0.0.2" }],
});
const socket = createSocket({ type: "udp4", lookup: (host, _options, done) => done(null, host, 4) });
socket.on("message", (message, from) => {
  const reply = Buffer.from(answer);
  message.copy(reply, 0, 0, 2);
  socket.send(reply, from.port, from.address);
});
socket.bind(53, "127.0.0.1", () => console.log("ready"));
