import assert from "node:assert/strict";
import { test } from "node:test";
import { newCounters } from "../../src/dns/counters.ts";
import { NameTable } from "../../src/dns/name-table.ts";
import { createView } from "../../src/dns/name-view.ts";
import { createResponder } from "../../src/dns/responder.ts";
import { serveDns } from "../../src/dns/server.ts";
import { boundPair, openSockets } from "./bound-sockets.ts";
import { framed, TcpClient, UdpClient } from "./clients.ts";
import { messageOf, optRecord, pointer, question, web } from "./message-bytes.ts";
import { addresses, decodeResponse, idOf, queryFor, seeded } from "./samples.ts";

interface Rig {
  readonly udp: UdpClient;
  readonly openTcp: () => Promise<TcpClient>;
  readonly counters: ReturnType<typeof newCounters>;
}

/** Runs `use` with a server that knows `web`, and checks that it met no defect and left nothing. */
async function withServer(use: (rig: Rig) => Promise<void>): Promise<void> {
  const before = openSockets();
  const net = { id: idOf(1), name: "net" };
  const table = new NameTable();
  table.publish(net.id, idOf(11), { names: ["web"], addresses: addresses("10.0.0.1") });
  const view = createView(table, [net]);
  const counters = newCounters();
  const { fds, udpPort, tcpPort } = boundPair();
  const respond = createResponder({ view: () => view, random: seeded(1), counters });
  const server = await serveDns({ ...fds, respond, counters });
  const udp = new UdpClient(udpPort);
  try {
    await use({ udp, openTcp: () => TcpClient.open(tcpPort), counters });
    assert.equal(counters.failures, 0);
  } finally {
    await udp.close();
    await server.close();
  }
  assert.deepEqual(openSockets(), before);
}

const asked = question(web);
/** 63 labels of 63 bytes: as much as is taken of a message, and no end. */
const labelsWithoutEnd = Buffer.concat(
  Array.from({ length: 63 }, () => Buffer.from(`\x3f${"x".repeat(63)}`)),
);
const chain = Buffer.concat(Array.from({ length: 200 }, (_, i) => pointer(12 + 2 * (i + 1))));
const roots = (count: number) => Buffer.concat(Array.from({ length: count }, () => question(Buffer.of(0))));
const option = (code: number, length: number) =>
  Buffer.concat([Buffer.of(0, code, length >> 8, length), Buffer.alloc(length)]);

/** Messages and the code of their answers; "none" for those that are not answered. */
const malformed: readonly (readonly [why: string, message: Buffer, answer: string | "none"])[] = [
  ["a pointer to itself", messageOf({ body: question(pointer(12)) }), "FORMERR"],
  ["a pointer forward", messageOf({ body: Buffer.concat([question(pointer(18)), web]) }), "FORMERR"],
  ["a pointer into the header", messageOf({ body: question(pointer(4)) }), "FORMERR"],
  ["a chain of pointers", messageOf({ body: question(chain) }), "FORMERR"],
  ["a circle of two", messageOf({ body: question(Buffer.concat([pointer(14), pointer(12)])) }), "FORMERR"],
  [
    "a pointer behind a label",
    messageOf({ body: question(Buffer.concat([Buffer.from("\x01a"), pointer(12)])) }),
    "FORMERR",
  ],
  ["half a pointer", messageOf({ body: Buffer.of(0xc0) }), "FORMERR"],
  [
    "a pointer in the second question",
    messageOf({ counts: [2, 0, 0, 0], body: Buffer.concat([asked, question(pointer(21))]) }),
    "NOERROR",
  ],
  ["labels without an end", messageOf({ body: labelsWithoutEnd }), "FORMERR"],
  ["a label of 64", messageOf({ body: question(Buffer.from(`\x40${"x".repeat(64)}\0`)) }), "FORMERR"],
  [
    "a name of 256 bytes",
    messageOf({
      body: question(
        Buffer.concat([...Array.from({ length: 85 }, () => Buffer.from("\x02ab")), Buffer.of(0)]),
      ),
    }),
    "FORMERR",
  ],
  ["no question", messageOf({ counts: [0, 0, 0, 0], body: Buffer.alloc(0) }), "FORMERR"],
  ["a question that is not counted", messageOf({ counts: [0, 0, 0, 0] }), "FORMERR"],
  ["a question that is not there", messageOf({ body: Buffer.alloc(0) }), "FORMERR"],
  ["two questions", messageOf({ counts: [2, 0, 0, 0], body: Buffer.concat([asked, asked]) }), "NOERROR"],
  ["one of two questions", messageOf({ counts: [2, 0, 0, 0] }), "FORMERR"],
  [
    "65,535 questions, 700 of them there",
    messageOf({ counts: [65_535, 0, 0, 0], body: roots(700) }),
    "FORMERR",
  ],
  ["65,535 records in each section", messageOf({ counts: [1, 65_535, 65_535, 65_535] }), "FORMERR"],
  [
    "an answer section",
    messageOf({ counts: [1, 1, 0, 0], body: Buffer.concat([asked, asked, Buffer.alloc(6)]) }),
    "NOERROR",
  ],
  ["a response", messageOf({ flags: 0x8180 }), "none"],
  ["a refused notify", messageOf({ flags: 0xa005 }), "none"],
  ["an inverse query", messageOf({ flags: 0x0800 }), "NOTIMP"],
  ["an update", messageOf({ flags: 0x2800 }), "NOTIMP"],
  ["class CH", messageOf({ body: question(web, 16, 3) }), "REFUSED"],
  ["class ANY", messageOf({ body: question(web, 1, 255) }), "REFUSED"],
  ["class 0", messageOf({ body: question(web, 1, 0) }), "REFUSED"],
  ["type 0", messageOf({ body: question(web, 0) }), "NOERROR"],
  ["a zone transfer", messageOf({ body: question(web, 252) }), "NOERROR"],
  [
    "3 KB of EDNS options",
    messageOf({ counts: [1, 0, 0, 1], body: Buffer.concat([asked, optRecord(option(10, 3000))]) }),
    "NOERROR",
  ],
  [
    "700 EDNS options",
    messageOf({ counts: [1, 0, 0, 1], body: Buffer.concat([asked, optRecord(Buffer.alloc(2800))]) }),
    "NOERROR",
  ],
  [
    "EDNS that is longer than the message",
    messageOf({ counts: [1, 0, 0, 1], body: Buffer.concat([asked, optRecord(option(10, 8), 65_535)]) }),
    "FORMERR",
  ],
  [
    "EDNS twice",
    messageOf({
      counts: [1, 0, 0, 2],
      body: Buffer.concat([asked, optRecord(option(10, 8)), optRecord(option(10, 8))]),
    }),
    "FORMERR",
  ],
  [
    "EDNS among the answers",
    messageOf({ counts: [1, 1, 0, 0], body: Buffer.concat([asked, optRecord(option(10, 8))]) }),
    "FORMERR",
  ],
  ["a header and no more", messageOf({}).subarray(0, 12), "FORMERR"],
  ["half a header", messageOf({}).subarray(0, 5), "FORMERR"],
  ["an id", messageOf({}).subarray(0, 2), "FORMERR"],
  ["a byte", Buffer.of(7), "none"],
  ["nothing", Buffer.alloc(0), "none"],
  [
    "bytes behind the question",
    messageOf({ body: Buffer.concat([asked, Buffer.alloc(3000, 0xff)]) }),
    "NOERROR",
  ],
];

test("each kind of malformed message gets its answer over UDP, and the next query too", async () => {
  await withServer(async ({ udp }) => {
    for (const [why, message, code] of malformed) {
      const reply = udp.ask(message);
      const next = udp.ask(queryFor("web", "A", { id: 99 }));
      const first = decodeResponse(await reply);
      if (code === "none") {
        assert.equal(first.id, 99, why);
        await udp.send(queryFor("web", "A", { id: 99 })); // for the answer that `next` waits for
      } else assert.deepEqual([first.id, first.rcode], [message.readUInt16BE(0), code], why);
      assert.equal(decodeResponse(await next).id, 99, why);
    }
  });
});

test("all kinds of malformed messages behind each other in one TCP stream get their answers in turn", async () => {
  await withServer(async ({ openTcp, counters }) => {
    const client = await openTcp();
    client.socket.end(Buffer.concat(malformed.map(([, message]) => framed(message))));
    const wanted = malformed.filter(([, , code]) => code !== "none");
    const replies = await client.take(wanted.length);
    for (const [i, [why, , code]] of wanted.entries())
      assert.equal(decodeResponse(replies[i]).rcode, code, why);
    await client.closed;
    assert.deepEqual([counters.tcpMessages, counters.connectionsCut], [malformed.length, 0]);
  });
});

test("64 KB of labels are cut off over UDP, and end a connection", async () => {
  await withServer(async ({ udp, openTcp, counters }) => {
    const body = Buffer.concat(Array.from({ length: 1023 }, () => Buffer.from(`\x3f${"x".repeat(63)}`)));
    const message = messageOf({ body });
    assert.equal(message.length > 65_000, true);
    assert.equal(decodeResponse(await udp.ask(message)).rcode, "FORMERR");
    const client = await openTcp();
    client.socket.write(framed(message));
    await client.closed;
    assert.equal(counters.connectionsCut, 1);
  });
});
