import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { type DecodedPacket, decode, encode, type Packet, RECURSION_DESIRED, streamEncode } from "dns-packet";
import type { NameAnswer, NameQuestion } from "./agent-protocol.ts";

/** How long a name server may take. It sits on the same machine; only a broken one takes this long. */
const answerMs = 5000;

/** Asks a name server on port 53, as a stub resolver does. Rejects when it does not answer. */
export async function queryName({ name, type, transport, server }: NameQuestion): Promise<NameAnswer> {
  const packet: Packet = {
    type: "query",
    id: Math.floor(Math.random() * 65_536),
    flags: RECURSION_DESIRED,
    questions: [{ type, name }],
  };
  const reply = await (transport === "udp" ? overUdp(packet, server) : overTcp(packet, server));
  const data = (reply.answers ?? []).flatMap((answer) => ("data" in answer ? [String(answer.data)] : []));
  return { rcode: rcodeOf(reply), data: data.sort() };
}

function rcodeOf(packet: DecodedPacket): string {
  return "rcode" in packet ? String(packet.rcode) : "none";
}

async function overUdp(packet: Packet, server: string): Promise<DecodedPacket> {
  const socket = createSocket("udp4");
  const message = encode(packet);
  const again = setInterval(() => socket.send(message), 1000);
  try {
    socket.connect(53, server);
    await once(socket, "connect");
    socket.send(message);
    const [reply] = (await once(socket, "message", { signal: AbortSignal.timeout(answerMs) })) as [Buffer]; // node's event
    return decode(reply);
  } finally {
    clearInterval(again);
    socket.close();
  }
}

async function overTcp(packet: Packet, server: string): Promise<DecodedPacket> {
  const socket = connect({ host: server, port: 53, signal: AbortSignal.timeout(answerMs) });
  try {
    socket.write(streamEncode(packet));
    let received = Buffer.alloc(0);
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      // without an encoding a socket gives buffers
      received = Buffer.concat([received, chunk]);
      if (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0))
        return decode(received.subarray(2));
    }
    throw new Error(`${server} closed the connection without a whole answer`);
  } finally {
    socket.destroy();
  }
}
