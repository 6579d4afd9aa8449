import assert from "node:assert/strict";
import { test } from "node:test";
import { parseQuery } from "../../src/dns/query.ts";
import { opt, queryFor } from "./samples.ts";

/** A header with id 1 and these counts, and what follows it. */
function message(flags: number, counts: readonly number[], rest: string): Buffer {
  const header = Buffer.alloc(12);
  for (const [i, value] of [1, flags, ...counts].entries()) header.writeUInt16BE(value, 2 * i);
  return Buffer.concat([header, Buffer.from(rest.replaceAll(" ", ""), "hex")]);
}

const question = "03776562 00 0001 0001";
const optRecord = "00 0029 04d0 00000000 0000";
const aRecord = "c00c 0001 0001 00000000 0004 0a000001";

test("messages are dropped, refused or read", () => {
  const table: readonly (readonly [bytes: Buffer, outcome: string | number, why: string])[] = [
    [Buffer.alloc(0), "drop", "nothing"],
    [Buffer.of(1), "drop", "no id"],
    [Buffer.of(0, 1), 1, "an id alone"],
    [Buffer.of(0, 1, 0x80), "drop", "the start of a response"],
    [Buffer.alloc(11), 1, "half a header"],
    [message(0x8180, [1, 0, 0, 0], question), "drop", "a response"],
    [message(0x0100, [0, 0, 0, 0], ""), 1, "no question"],
    [message(0x0100, [1, 0, 0, 0], ""), 1, "a question that is not there"],
    [message(0x0100, [1, 0, 0, 0], "03776562 00 0001 00"), 1, "a question cut short"],
    [message(0x0100, [1, 0, 0, 0], "c00c 0001 0001"), 1, "a pointer to itself"],
    [message(0x2000, [1, 0, 0, 0], question), 4, "NOTIFY"],
    [message(0x7800, [0, 0, 0, 0], ""), 4, "an unknown opcode without a question"],
    [message(0x0100, [1, 0, 0, 0], "03776562 00 0001 0003"), 5, "class CH"],
    [message(0x0100, [1, 0, 0, 0], "03776562 00 0001 00ff"), 5, "class ANY"],
    [message(0x0100, [1, 0, 0, 0], question), "ask", "a plain query"],
    [message(0x0100, [1, 0, 0, 0], `${question} ffff`), "ask", "bytes behind the query"],
    [message(0x0100, [2, 0, 0, 0], `${question} ${question}`), "ask", "two questions"],
    [message(0x0100, [2, 0, 0, 0], question), 1, "a second question that is not there"],
    [message(0x0100, [1, 1, 0, 0], `${question} ${aRecord}`), "ask", "a record in a query"],
    [message(0x0100, [1, 0, 0, 1], question), 1, "a record that is not there"],
    [message(0x0100, [1, 0, 0, 1], `${question} 00 0029 04d0 00000000 0001`), 1, "a record cut short"],
    [message(0x0100, [1, 0, 0, 1], `${question} ${optRecord}`), "ask", "EDNS"],
    [message(0x0100, [1, 0, 0, 2], `${question} ${optRecord} ${optRecord}`), 1, "EDNS twice"],
    [message(0x0100, [1, 1, 0, 0], `${question} ${optRecord}`), 1, "OPT among the answers"],
    [message(0x0100, [1, 0, 0, 1], `${question} 0161 ${optRecord}`), 1, "OPT under a name"],
    [message(0x0100, [1, 0, 0, 1], `${question} 00 0029 04d0 00010000 0000`), 16, "EDNS version 1"],
    [message(0x0100, [1, 0, 0, 65535], `${question} ${aRecord}`), 1, "a count beyond the message"],
  ];
  for (const [bytes, outcome, why] of table) {
    const incoming = parseQuery(bytes);
    assert.equal(incoming.kind === "refuse" ? incoming.rcode : incoming.kind, outcome, why);
  }
});

test("the question is kept as it was sent, and looked up in lower case", () => {
  const incoming = parseQuery(queryFor("WeB.Example", "AAAA", opt(1400, { flags: 0x8000 })));
  assert.equal(incoming.kind, "ask");
  if (incoming.kind !== "ask") return;
  const { id, question: asked, edns } = incoming.query;
  assert.equal(id, 4711);
  assert.equal(asked.name, "web.example");
  assert.equal(asked.type, 28);
  assert.match(Buffer.from(asked.bytes).toString("latin1"), /WeB.Example/s);
  assert.deepEqual(edns, { udpBytes: 1400, dnssecOk: true });
});
