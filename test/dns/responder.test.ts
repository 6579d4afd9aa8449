import assert from "node:assert/strict";
import { test } from "node:test";
import type { RecordType } from "dns-packet";
import fc from "fast-check";
import { newCounters } from "../../src/dns/counters.ts";
import { NameTable } from "../../src/dns/name-table.ts";
import { createView } from "../../src/dns/name-view.ts";
import type { Transport } from "../../src/dns/protocol.ts";
import { createResponder, type Forward } from "../../src/dns/responder.ts";
import { mutated } from "./mutation.ts";
import { addresses, dataOf, decodeResponse, idOf, opt, queryFor, seeded } from "./samples.ts";

const net = { id: idOf(1), name: "net" };

function tenDotOne(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `10.1.${i >> 8}.${i & 255}`);
}

function responder(forward?: Forward, keepsBareNames = false) {
  const table = new NameTable();
  table.publish(net.id, idOf(11), { names: ["Web"], addresses: addresses("10.0.0.1", "fd00::1") });
  table.publish(net.id, idOf(12), { names: ["many"], addresses: addresses(...tenDotOne(300)) });
  table.publish(net.id, idOf(13), { names: ["huge"], addresses: addresses(...tenDotOne(6000)) });
  const view = createView(table, [net]);
  const counters = newCounters();
  const init = { view: () => view, random: seeded(7), counters };
  const upstreams = forward === undefined ? undefined : { forward, keepsBareNames };
  return { respond: createResponder({ ...init, upstreams: () => upstreams }), counters };
}

async function ask(message: Buffer, transport: Transport = "udp") {
  return decodeResponse(await responder().respond(message, transport));
}

test("an answer repeats id, question, RD and CD, and sets QR, RA and AA", async () => {
  const response = await ask(queryFor("wEb.NeT", "A", { flags: 0x0110 }));
  assert.equal(response.id, 4711);
  assert.equal(response.rcode, "NOERROR");
  assert.deepEqual(response.questions, [{ name: "wEb.NeT", type: "A", class: "IN" }]);
  const flags = [response.flag_qr, response.flag_ra, response.flag_aa, response.flag_rd, response.flag_cd];
  assert.deepEqual(flags, [true, true, true, true, true]);
  assert.deepEqual([response.flag_tc, response.flag_ad, response.flag_z], [false, false, false]);
  const [answer] = response.answers ?? [];
  assert.deepEqual(answer, {
    name: "wEb.NeT",
    type: "A",
    class: "IN",
    ttl: 5,
    flush: false,
    data: "10.0.0.1",
  });
  assert.equal((await ask(queryFor("web", "A", { flags: 0 }))).flag_rd, false);
});

test("codes and records of every kind of query", async () => {
  const table: readonly (readonly [
    name: string,
    type: RecordType,
    rcode: string,
    data: readonly string[],
  ])[] = [
    ["web", "A", "NOERROR", ["10.0.0.1"]],
    ["web", "AAAA", "NOERROR", ["fd00::1"]],
    ["web", "TXT", "NOERROR", []],
    ["many", "AAAA", "NOERROR", []],
    ["1.0.0.10.in-addr.arpa", "PTR", "NOERROR", ["Web.net"]],
    ["2.0.0.10.in-addr.arpa", "PTR", "NXDOMAIN", []],
    ["nobody", "A", "NXDOMAIN", []],
    ["nobody.net", "A", "NXDOMAIN", []],
    ["example.org", "A", "SERVFAIL", []],
  ];
  for (const [name, type, rcode, data] of table) {
    const response = await ask(queryFor(name, type));
    assert.equal(response.rcode, rcode, `${name} ${type}`);
    assert.deepEqual(dataOf(response), data, `${name} ${type}`);
  }
});

test("answers are cut to what the client takes", async () => {
  const record = 16;
  const plain = 12 + 10;
  const table: readonly (readonly [
    name: string,
    transport: Transport,
    edns: number | undefined,
    records: number,
    cut: boolean,
  ])[] = [
    ["many", "udp", undefined, Math.floor((512 - plain) / record), true],
    ["many", "udp", 100, Math.floor((512 - plain - 11) / record), true],
    ["many", "udp", 512, Math.floor((512 - plain - 11) / record), true],
    ["many", "udp", 1232, Math.floor((1232 - plain - 11) / record), true],
    ["many", "udp", 8192, 300, false],
    ["huge", "udp", 65535, Math.floor((65507 - plain - 11) / record), true],
    ["many", "tcp", undefined, 300, false],
    ["huge", "tcp", undefined, Math.floor((65535 - plain) / record), true],
  ];
  for (const [name, transport, edns, records, cut] of table) {
    const response = await ask(queryFor(name, "A", edns === undefined ? {} : opt(edns)), transport);
    const why = `${name} ${transport} ${edns}`;
    assert.equal(response.answers?.length, records, why);
    assert.equal(response.flag_tc, cut, why);
    assert.equal(response.additionals?.length, edns === undefined ? 0 : 1, why);
  }
});

test("EDNS is answered with our size, the DO bit and no options", async () => {
  const response = await ask(queryFor("web", "A", opt(4096, { flags: 0x8000 })));
  const [echoed] = response.additionals ?? [];
  assert.equal(echoed?.type, "OPT");
  if (echoed?.type !== "OPT") return;
  assert.equal(echoed.udpPayloadSize, 1232);
  assert.equal(echoed.ednsVersion, 0);
  assert.equal(echoed.flag_do, true);
  assert.deepEqual(echoed.options, []);
});

test("refusals carry what could be read", async () => {
  const badVersion = await ask(queryFor("web", "A", opt(4096, { ednsVersion: 1 })));
  const [echoed] = badVersion.additionals ?? [];
  assert.equal(echoed?.type === "OPT" && echoed.extendedRcode, 1);
  assert.equal(badVersion.rcode, "NOERROR"); // its four bits of BADVERS
  const chaos = await ask(
    queryFor("x", "TXT", { questions: [{ name: "version.bind", type: "TXT", class: "CH" }] }),
  );
  assert.equal(chaos.rcode, "REFUSED");
  assert.equal(chaos.questions?.[0]?.name, "version.bind");
  const notify = queryFor("web");
  notify.writeUInt16BE(0x2100, 2);
  const notImplemented = await ask(notify);
  assert.equal(notImplemented.rcode, "NOTIMP");
  assert.equal((notImplemented.flags ?? 0) & 0x7800, 0x2000);
  const empty = await ask(queryFor("x", "A", { questions: [] }));
  assert.equal(empty.rcode, "FORMERR");
  assert.equal(empty.id, 4711);
});

test("only the first question is answered and repeated", async () => {
  const questions = [
    { name: "web", type: "A" as const },
    { name: "many", type: "A" as const },
  ];
  const response = await ask(queryFor("web", "A", { questions }));
  assert.equal(response.questions?.length, 1);
  assert.deepEqual(dataOf(response), ["10.0.0.1"]);
});

test("unknown names go to others if there are any, known ones never", async () => {
  const asked: string[] = [];
  const forward: Forward = ({ query, transport }) => {
    asked.push(`${query.question.name} ${transport}`);
    return Promise.resolve(Buffer.from([1, 2, 0x81, 0x80]));
  };
  const { respond, counters } = responder(forward);
  const query = queryFor("example.org");
  assert.deepEqual(await respond(query, "tcp"), Buffer.from([1, 2, 0x81, 0x80]));
  assert.deepEqual(decodeResponse(await respond(queryFor("web"), "udp")).rcode, "NOERROR");
  assert.deepEqual(asked, ["example.org tcp"]);
  assert.deepEqual([counters.tcpMessages, counters.udpMessages, counters.replies[0]], [1, 1, 2]);
});

test("addresses of bare names are kept back for those who search first", async () => {
  const forward: Forward = () => Buffer.from([1, 2, 0x81, 0x85]);
  const table: readonly (readonly [name: string, type: RecordType, keeps: boolean, forwarded: boolean])[] = [
    ["nobody", "A", true, false],
    ["nobody", "AAAA", true, false],
    ["nobody", "MX", true, true],
    ["nobody.org", "A", true, true],
    [".", "A", true, true],
    ["nobody", "A", false, true],
  ];
  for (const [name, type, keeps, forwarded] of table) {
    const reply = await responder(forward, keeps).respond(queryFor(name, type), "udp");
    assert.equal(reply?.length === 4, forwarded, `${name} ${type}`);
    if (forwarded) continue;
    const { rcode, answers } = decodeResponse(reply);
    assert.deepEqual([rcode, answers], ["NOERROR", []]);
  }
});

test("a defect is answered with SERVFAIL, and counted", async () => {
  const broken: readonly Forward[] = [
    () => Promise.reject(new Error("later")),
    () => {
      throw new Error("at once");
    },
  ];
  for (const forward of broken) {
    const { respond, counters } = responder(forward);
    const response = decodeResponse(await respond(queryFor("example.org"), "udp"));
    assert.deepEqual([response.rcode, response.id, counters.failures], ["SERVFAIL", 4711, 1]);
  }
});

test("responses and messages without an id are dropped", () => {
  const { respond, counters } = responder();
  const response = queryFor("web");
  response.writeUInt16BE(0x8180, 2);
  for (const message of [response, Buffer.alloc(0), Buffer.of(9)]) {
    assert.equal(respond(message, "udp"), undefined);
  }
  assert.equal(counters.dropped, 3);
});

test("any name that dns-packet can ask for comes back as it was spelled", () => {
  const label = fc.stringMatching(/^[!-~]{1,20}$/).filter((text) => !/[.]/.test(text));
  const type = fc.constantFrom<RecordType>("A", "AAAA", "PTR", "MX", "TXT", "SRV", "NS", "SOA");
  const { respond } = responder();
  fc.assert(
    fc.property(fc.array(label, { minLength: 1, maxLength: 6 }), type, (labels, asked) => {
      const name = labels.join(".");
      const reply = respond(queryFor(name, asked, opt(1232)), "udp");
      assert.ok(reply instanceof Uint8Array);
      const response = decodeResponse(reply);
      assert.deepEqual(response.questions, [{ name, type: asked, class: "IN" }]);
      assert.equal(response.id, 4711);
    }),
  );
});

test("20,000 damaged messages are answered readably, within limits, or dropped", () => {
  const { respond, counters } = responder();
  const random = seeded(20_251);
  for (let i = 0; i < 20_000; i++) {
    const message = mutated(random);
    const transport = random(2) === 0 ? "udp" : "tcp";
    const reply = respond(message, transport);
    const isQuery = message.length >= 2 && ((message[2] ?? 0) & 0x80) === 0;
    assert.equal(reply !== undefined, isQuery, message.toString("hex"));
    if (!(reply instanceof Uint8Array)) continue;
    const response = decodeResponse(reply);
    assert.equal(response.id, message.readUInt16BE(0), message.toString("hex"));
    assert.equal(response.flag_qr, true);
    if (transport === "udp" && reply.length > 512) assert.ok((response.additionals?.length ?? 0) > 0);
  }
  assert.equal(counters.failures, 0);
  assert.equal(counters.udpMessages + counters.tcpMessages, 20_000);
});
