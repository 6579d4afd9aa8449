import assert from "node:assert/strict";
import { test } from "node:test";
import type { Packet, RecordType } from "dns-packet";
import { askedQuestion } from "../../../src/dns/forward/asked-question.ts";
import { encodeClientAnswer } from "../../../src/dns/forward/client-answer.ts";
import { readUpstreamReply, type UpstreamAnswer } from "../../../src/dns/forward/upstream-answer.ts";
import { decodeResponse, opt, queryFor } from "../samples.ts";
import { aRecords, asking, type ResponseParts, responseTo, soaRecord } from "./upstream-samples.ts";

/** What an upstream server said to a query for `name`. */
function said(name: string, parts: ResponseParts, type: RecordType = "A"): UpstreamAnswer {
  const query = queryFor(name, type);
  const reply = readUpstreamReply(responseTo(query, parts), askedQuestion(asking(query)), 4711);
  if (reply.kind !== "answer") throw new Error(reply.kind);
  return reply;
}

function given(answer: UpstreamAnswer, name: string, more: Packet = {}, age = 0, limit = 512) {
  const query = asking(queryFor(name, "A", { id: 99, ...more }));
  const message = encodeClientAnswer(query, answer, age, limit);
  assert.ok(message.length <= limit);
  return decodeResponse(message);
}

test("id, letters, RD and CD are the client's, code and records the server's", () => {
  const answer = said("web.example.org", {
    rcode: 0,
    flags: 0x0400,
    answers: aRecords("x.org", 60, "192.0.2.1"),
  });
  const response = given(answer, "wEb.eXample.org", { flags: 0x0110 });
  assert.equal(response.id, 99);
  assert.equal(response.questions?.[0]?.name, "wEb.eXample.org");
  const { flag_qr, flag_aa, flag_tc, flag_rd, flag_ra, flag_cd } = response;
  assert.deepEqual(
    [flag_qr, flag_aa, flag_tc, flag_rd, flag_ra, flag_cd],
    [true, false, false, true, true, true],
  );
  assert.deepEqual(
    response.answers,
    aRecords("x.org", 60, "192.0.2.1").map((one) => ({ ...one, flush: false })),
  );
  assert.equal(given(answer, "web.example.org", { flags: 0 }).flag_rd, false);
});

test("TTLs become smaller with age, and never less than 0", () => {
  const parts = {
    answers: [...aRecords("web", 60, "192.0.2.1"), ...aRecords("web", 10, "192.0.2.2")],
    authorities: [soaRecord("web", 0x90000000, 5)],
  };
  const ttls = (age: number) => {
    const { answers = [], authorities = [] } = given(said("web", parts), "web", {}, age);
    return [...answers, ...authorities].map((record) => ("ttl" in record ? record.ttl : undefined));
  };
  assert.deepEqual(ttls(0), [60, 10, 0]);
  assert.deepEqual(ttls(9), [51, 1, 0]);
  assert.deepEqual(ttls(30), [30, 0, 0]);
});

test("AD is for those who asked for it", () => {
  const vouched = said("web", { flags: 0x0020, answers: aRecords("web", 60, "192.0.2.1") });
  const not = said("web", { answers: aRecords("web", 60, "192.0.2.1") });
  const table: readonly (readonly [answer: UpstreamAnswer, more: Packet, ad: boolean])[] = [
    [vouched, {}, false],
    [vouched, { flags: 0x0120 }, true],
    [vouched, opt(1232, { flags: 0x8000 }), true],
    [vouched, opt(1232), false],
    [not, { flags: 0x0120 }, false],
  ];
  for (const [answer, more, ad] of table) assert.equal(given(answer, "web", more).flag_ad, ad);
});

test("EDNS is between the client and us", () => {
  const answer = said("web", { answers: aRecords("web", 60, "192.0.2.1") });
  assert.equal(given(answer, "web").additionals?.length, 0);
  const [record] = given(answer, "web", opt(4096, { flags: 0x8000 })).additionals ?? [];
  assert.equal(record?.type === "OPT" && record.udpPayloadSize, 1232);
  assert.equal(record?.type === "OPT" && record.flag_do, true);
});

test("what does not fit is left out from the end, and TC says when it is missed", () => {
  const many = (count: number, name = "web") =>
    aRecords(name, 60, ...Array.from({ length: count }, (_, i) => `192.0.2.${i}`));
  const a = 19; // name of 5 bytes, 10 fixed, 4 of data
  const table: readonly (readonly [
    why: string,
    parts: ResponseParts,
    sections: readonly [number, number, number],
    truncated: boolean,
  ])[] = [
    ["all", { answers: many(10), authorities: many(2), additionals: many(3) }, [10, 2, 3], false],
    [
      "without additional",
      { answers: many(20), authorities: many(2), additionals: many(8) },
      [20, 2, 0],
      false,
    ],
    ["without authority", { answers: many(24), authorities: many(8) }, [24, 0, 0], false],
    ["without some answers", { answers: many(40) }, [Math.floor((512 - 21) / a), 0, 0], true],
    ["without the only thing said", { rcode: 3, authorities: many(40) }, [0, 0, 0], true],
  ];
  for (const [why, parts, sections, truncated] of table) {
    const response = given(said("web", parts), "web");
    const { answers, authorities, additionals } = response;
    assert.deepEqual([answers?.length, authorities?.length, additionals?.length], sections, why);
    assert.equal(response.flag_tc, truncated, why);
    const whole = given(said("web", parts), "web", opt(65_535), 0, 65_535);
    assert.deepEqual([whole.flag_tc, whole.answers?.length], [false, parts.answers?.length ?? 0], why);
  }
});

test("room is made for OPT", () => {
  const answer = said("web", {
    answers: aRecords("web", 60, ...Array.from({ length: 40 }, (_, i) => `192.0.2.${i}`)),
  });
  const response = given(answer, "web", opt(512));
  assert.deepEqual([response.flag_tc, response.additionals?.length], [true, 1]);
});
