import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { askedQuestion } from "../../../src/dns/forward/asked-question.ts";
import { encodeClientAnswer } from "../../../src/dns/forward/client-answer.ts";
import { readUpstreamReply, type UpstreamAnswer } from "../../../src/dns/forward/upstream-answer.ts";
import { decodeResponse, opt, queryFor, seeded } from "../samples.ts";
import { captured } from "./captured.ts";
import { aRecords, asking, type ResponseParts, responseTo, soaRecord } from "./upstream-samples.ts";

const query = queryFor("www.example.org");
const asked = askedQuestion(asking(query));

function read(message: Uint8Array) {
  return readUpstreamReply(message, asked, 4711);
}

function answerOf(parts: ResponseParts): UpstreamAnswer {
  const reply = read(responseTo(query, parts));
  assert.equal(reply.kind, "answer");
  if (reply.kind !== "answer") throw new Error("never");
  return reply;
}

/** A response to {@link query} whose records are given as bytes. */
function raw(
  answers: number,
  authorities: number,
  additionals: number,
  ...records: readonly Buffer[]
): Buffer {
  const message = Buffer.concat([responseTo(query, {}), ...records]);
  message.writeUInt16BE(answers, 6);
  message.writeUInt16BE(authorities, 8);
  message.writeUInt16BE(additionals, 10);
  return message;
}

/** A record of 60 s: the bytes of its name, its type, its data. */
function record(name: string, type: number, data: Buffer | string): Buffer {
  const bytes = typeof data === "string" ? Buffer.from(data, "hex") : data;
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(1, 2);
  fixed.writeUInt32BE(60, 4);
  fixed.writeUInt16BE(bytes.length, 8);
  return Buffer.concat([Buffer.from(name, "hex"), fixed, bytes]);
}

test("what real servers answer is passed on record by record", () => {
  const kinds = new Map<string, string>();
  for (const one of captured()) {
    const why = `${one.server}: ${one.what}, ${one.edns ? "EDNS" : "plain"}`;
    const clientQuery = asking(one.query);
    const reply = readUpstreamReply(one.reply, askedQuestion(clientQuery), clientQuery.id);
    kinds.set(why, reply.kind);
    if (reply.kind !== "answer") continue;
    const given = decodeResponse(encodeClientAnswer(clientQuery, reply, 0, 65_535));
    const theirs = decodeResponse(one.reply);
    const withoutOpt = (records = theirs.additionals) => records?.filter(({ type }) => type !== "OPT");
    assert.equal(given.rcode, theirs.rcode, why);
    assert.deepEqual(given.questions, theirs.questions, why);
    assert.deepEqual(given.answers, theirs.answers, why);
    assert.deepEqual(given.authorities, theirs.authorities, why);
    assert.deepEqual(withoutOpt(given.additionals), withoutOpt(), why);
    assert.equal(
      given.additionals?.some(({ type }) => type === "OPT"),
      one.edns,
      why,
    );
  }
  const others = [...kinds].filter(([, kind]) => kind !== "answer").map(([why, kind]) => `${why}: ${kind}`);
  assert.deepEqual(
    others.sort(),
    [
      "nsd: too long for a datagram, plain: truncated",
      "nsd: too long for a datagram, EDNS: truncated",
      "nsd: another zone, plain: refusal",
      "nsd: another zone, EDNS: refusal",
      "nsd: many addresses, plain: truncated",
      "unbound: many addresses, plain: truncated",
      "unbound: too long for a datagram, plain: truncated",
      "unbound: too long for a datagram, EDNS: truncated",
      "unbound: refused, plain: refusal",
      "unbound: refused, EDNS: refusal",
    ].sort(),
  );
});

test("how long real servers' answers may be kept", () => {
  const lives = new Map(
    captured().flatMap((one) => {
      const clientQuery = asking(one.query);
      const reply = readUpstreamReply(one.reply, askedQuestion(clientQuery), clientQuery.id);
      return reply.kind === "answer" && one.server === "nsd" ? [[one.what, reply.lifeSeconds] as const] : [];
    }),
  );
  assert.equal(lives.get("two addresses behind an alias"), 30);
  assert.equal(lives.get("no such name"), 120); // the SOA's last number
  assert.equal(lives.get("no such type"), 120);
  assert.equal(lives.get("alias to nothing of that type"), 60); // the alias itself lives no longer
  assert.equal(lives.get("time to live of zero"), 0);
  assert.equal(lives.get("delegation"), 0); // says where to ask, not what there is
});

test("only what repeats id and question is an answer", () => {
  const good = responseTo(query, { answers: aRecords("www.example.org", 60, "192.0.2.1") });
  assert.equal(read(good).kind, "answer");
  const table: readonly (readonly [why: string, change: (message: Buffer) => Buffer | undefined])[] = [
    ["another id", (m) => void m.writeUInt16BE(4712, 0)],
    ["a query", (m) => void m.writeUInt16BE(0x0100, 2)],
    ["another opcode", (m) => void m.writeUInt16BE(0xa180, 2)],
    ["no question", (m) => void m.writeUInt16BE(0, 4)],
    ["two questions", (m) => void m.writeUInt16BE(2, 4)],
    ["another name", (m) => void m.writeUInt8(0x78, 13)],
    ["another type", (m) => void m.writeUInt8(28, 12 + asked.bytes.length - 3)],
    ["another class", (m) => void m.writeUInt8(3, 12 + asked.bytes.length - 1)],
    ["a header only", (m) => m.subarray(0, 12)],
    ["half a header", (m) => m.subarray(0, 11)],
    ["nothing", (m) => m.subarray(0, 0)],
  ];
  for (const [why, change] of table) {
    const message = Buffer.from(good);
    assert.equal(read(change(message) ?? message).kind, "stray", why);
  }
});

test("the question may come back in other letters", () => {
  const message = responseTo(query, {});
  message.write("WWW", 13);
  assert.equal(read(message).kind, "answer");
});

test("refusals are told by their code, also without the question", () => {
  for (const rcode of [1, 2, 4, 5, 9]) {
    assert.deepEqual(read(responseTo(query, { rcode })), { kind: "refusal", rcode });
    const bare = responseTo(query, { rcode }).subarray(0, 12);
    bare.writeUInt16BE(0, 4);
    assert.deepEqual(read(bare), { kind: "refusal", rcode });
  }
  const extended = raw(0, 0, 1, Buffer.from("00002904d0010000000000", "hex")); // BADVERS
  assert.deepEqual(read(extended), { kind: "refusal", rcode: 2 });
});

test("TC is an answer without records", () => {
  const reply = read(
    responseTo(query, { flags: 0x0200, answers: aRecords("www.example.org", 60, "192.0.2.1") }),
  );
  assert.equal(reply.kind, "truncated");
  if (reply.kind !== "truncated") return;
  assert.deepEqual(
    [reply.answer.truncated, reply.answer.lifeSeconds, reply.answer.counts, reply.answer.message.length],
    [true, 0, [0, 0, 0], query.length],
  );
});

test("messages that lie about themselves are broken", () => {
  const pointer = "c00c";
  const a = "c0000201";
  const loop = (at: number) => (0xc000 | at).toString(16);
  const start = query.length;
  const table: readonly (readonly [why: string, message: Buffer])[] = [
    ["fewer records than it says", raw(2, 0, 0, record(pointer, 1, a))],
    ["half a record", raw(1, 0, 0, record(pointer, 1, a).subarray(0, 9))],
    ["data that ends behind the message", raw(1, 0, 0, record(pointer, 1, a).subarray(0, 15))],
    ["a name that points at itself", raw(1, 0, 0, record(loop(start), 1, a))],
    ["a name that points forward", raw(1, 0, 0, record(loop(start + 4), 1, a))],
    ["a name that points into the header", raw(1, 0, 0, record("c003", 1, a))],
    ["a label of a reserved kind", raw(1, 0, 0, record("8001", 1, a))],
    ["names that point at each other", raw(1, 0, 0, record(`0161${loop(start + 2)}`, 1, a))],
    ["an alias to itself", raw(1, 0, 0, record(pointer, 5, loop(start + 12)))],
    ["an alias that is too short", raw(1, 0, 0, record(pointer, 5, "0161"))],
    ["something behind an alias", raw(1, 0, 0, record(pointer, 5, `${pointer}00`))],
    ["a mail exchanger without a name", raw(1, 0, 0, record(pointer, 15, "000a"))],
    ["an SOA cut short", raw(0, 1, 0, record(pointer, 6, `${pointer}${pointer}00000000`))],
    ["an address of three bytes", raw(1, 0, 0, record(pointer, 1, "c00002"))],
    ["an IPv6 address of four bytes", raw(1, 0, 0, record(pointer, 28, a))],
    [
      "a record of another class",
      raw(1, 0, 0, Buffer.from(`${pointer}0001000300000000` + `0004${a}`, "hex")),
    ],
    ["OPT among the answers", raw(1, 0, 0, Buffer.from("00002904d0000000000000", "hex"))],
    ["two OPT", raw(0, 0, 2, Buffer.from("00002904d0000000000000".repeat(2), "hex"))],
    [
      "a name of 256 bytes",
      raw(1, 0, 0, record(`${`3f${"61".repeat(63)}`.repeat(3)}3f${"61".repeat(63)}00`, 1, a)),
    ],
    [
      "a name that is too long with what it points at",
      raw(1, 0, 0, record(`${`3f${"61".repeat(63)}`.repeat(3)}30${"61".repeat(48)}${pointer}`, 1, a)),
    ],
  ];
  for (const [why, message] of table) assert.equal(read(message).kind, "broken", why);
});

test("names may share their ends, and point at nothing but labels", () => {
  const shared = record("0178c010", 16, "0161");
  const many = read(raw(4000, 0, 0, ...Array.from({ length: 4000 }, () => shared)));
  assert.equal(many.kind === "answer" && many.counts[0], 4000);
  const at = (offset: number) => (0xc000 | offset).toString(16);
  const first = record("c00c", 1, "c0000201");
  const table: readonly (readonly [why: string, target: number])[] = [
    ["at a pointer", query.length],
    ["at a TTL", query.length + 6],
    ["at the last label, which is empty", 12 + asked.bytes.length - 5],
    ["between labels", 14],
  ];
  for (const [why, target] of table) {
    assert.equal(read(raw(2, 0, 0, first, record(at(target), 1, "c0000201"))).kind, "broken", why);
  }
  // An owner that points at the signer in the RRSIG before it, as BIND writes it.
  const signature = record("c00c", 46, `${"00".repeat(18)}${"0378797a00"}ffff`);
  assert.equal(
    read(raw(2, 0, 0, signature, record(at(query.length + 12 + 18), 1, "c0000201"))).kind,
    "answer",
  );
});

test("no name points behind its message, to where a longer one before it had a name", () => {
  const long = raw(100, 0, 0, ...Array.from({ length: 100 }, () => record("0178c00c", 1, "c0000201")));
  assert.equal(read(long).kind, "answer");
  const size = record("0178c00c", 1, "c0000201").length;
  for (let i = 0; i < 100; i++) {
    const target = (0xc000 | (query.length + i * size)).toString(16);
    assert.equal(read(raw(1, 0, 0, record(target, 1, "c0000201"))).kind, "broken", target);
  }
});

test("what is behind OPT, and behind the last record, is left out", () => {
  const optRecord = Buffer.from("00002904d0000000000000", "hex");
  const reply = read(
    raw(
      1,
      0,
      2,
      record("c00c", 1, "c0000201"),
      optRecord,
      record("c00c", 1, "c0000202"),
      Buffer.from("junk"),
    ),
  );
  assert.equal(reply.kind, "answer");
  if (reply.kind !== "answer") return;
  assert.deepEqual(reply.counts, [1, 0, 0]);
  assert.equal(reply.message.length, query.length + 16);
});

test("how long an answer may be kept", () => {
  const a = (ttl: number) => aRecords("www.example.org", ttl, "192.0.2.1");
  const soa = (ttl: number, minimum: number) => [soaRecord("example.org", ttl, minimum)];
  const table: readonly (readonly [why: string, parts: ResponseParts, seconds: number])[] = [
    ["the smallest TTL", { answers: [...a(60), ...a(20)] }, 20],
    ["of additional records too", { answers: a(60), additionals: a(7) }, 7],
    ["not at all", { answers: a(0) }, 0],
    ["a TTL with its highest bit set is 0", { answers: a(0x80000001) }, 0],
    ["the SOA's own TTL", { rcode: 3, authorities: soa(30, 900) }, 30],
    ["the SOA's minimum", { authorities: soa(900, 40) }, 40],
    ["nothing without an SOA", {}, 0],
    ["no such name without an SOA", { rcode: 3 }, 0],
    [
      "an alias to nobody knows what",
      { answers: [{ type: "CNAME", name: "www.example.org", ttl: 60, data: "x" }] },
      0,
    ],
  ];
  for (const [why, parts, seconds] of table) assert.equal(answerOf(parts).lifeSeconds, seconds, why);
});

test("100,000 damaged answers are told apart without harm, and what is passed on can be read", () => {
  const random = seeded(7);
  const seeds = captured();
  const kinds = new Map<string, number>();
  for (let i = 0; i < 100_000; i++) {
    const seed = seeds[random(seeds.length)];
    if (seed === undefined) throw new Error("never");
    const message: Buffer = Buffer.from(seed.reply);
    // Behind the question: else nearly all of them would be strays.
    const from = random(10) === 0 ? 0 : seed.query.length - (seed.edns ? 11 : 0);
    for (let changes = 1 + random(4); changes > 0; changes--) {
      message[from + random(message.length - from)] = random(3) === 0 ? 0xc0 : random(256);
    }
    const cut = random(6) === 0 ? message.subarray(0, random(message.length)) : message;
    const clientQuery = asking(seed.query);
    const reply = readUpstreamReply(cut, askedQuestion(clientQuery), clientQuery.id);
    kinds.set(reply.kind, (kinds.get(reply.kind) ?? 0) + 1);
    if (reply.kind !== "answer") continue;
    const limit = 512 + random(1500);
    const given = encodeClientAnswer(clientQuery, reply, random(100), limit);
    assert.ok(given.length <= limit);
    const again = readUpstreamReply(given, askedQuestion(clientQuery), clientQuery.id);
    assert.ok(again.kind === "answer" || again.kind === "truncated", cut.toString("hex"));
  }
  for (const kind of ["answer", "broken", "stray", "refusal", "truncated"]) {
    assert.ok((kinds.get(kind) ?? 0) > 100, `${kind}: ${kinds.get(kind)}`);
  }
});

test("no bytes make it throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      read(bytes);
      read(Buffer.concat([responseTo(query, {}), bytes]));
      const counts = Buffer.concat([responseTo(query, {}), bytes]);
      counts.writeUInt16BE(3, 6);
      read(counts);
    }),
    { numRuns: 2000 },
  );
});

test("queries that ask the same share a key, others do not", () => {
  const key = (message: Buffer) => askedQuestion(asking(message)).key;
  const plain = key(queryFor("web.example.org"));
  assert.equal(key(queryFor("WEB.example.ORG", "A", { id: 3 })), plain);
  assert.equal(key(queryFor("web.example.org", "A", opt(4096))), plain);
  const others = [
    queryFor("web.example.org", "AAAA"),
    queryFor("web.example.net"),
    queryFor("web.example.org", "A", { flags: 0 }),
    queryFor("web.example.org", "A", { flags: 0x0110 }),
    queryFor("web.example.org", "A", opt(1232, { flags: 0x8000 })),
  ].map(key);
  assert.equal(new Set([plain, ...others]).size, others.length + 1);
});
