import type { RandomBelow } from "../../src/dns/index.ts";

/** What a resolver takes of a message; longer ones are cut off by UDP and end a TCP connection. */
const largestMessage = 4096;
/** Names that {@link hostileQuery} asks for, besides those that it makes up: what the sandbox's networks may know. */
const knownNames = ["web", "WEB.net", "many", "1.0.0.10.in-addr.arpa", "_http._tcp.web"];
const knownLabels = knownNames.map((name) => name.split("."));
const commonTypes = [1, 28, 12, 5, 6, 15, 16, 33, 65, 255];
const oddTypes = [0, 41, 249, 250, 251, 252, 65_535];

/** Writes one message after another into the same memory. */
class MessageWriter {
  readonly bytes = Buffer.alloc(3 * largestMessage);
  length = 0;

  number16(value: number): void {
    this.bytes.writeUInt16BE(value & 0xffff, this.length);
    this.length += 2;
  }

  byte(value: number): void {
    this.bytes[this.length++] = value & 0xff;
  }

  label(text: string): void {
    this.byte(text.length);
    this.length += this.bytes.write(text, this.length, "latin1");
  }

  filled(length: number, value: number): void {
    this.bytes.fill(value, this.length, this.length + length);
    this.length += length;
  }

  /** A copy of what was written, from `start` on, no longer than a resolver takes. */
  taken(start = 0): Buffer {
    return Buffer.from(this.bytes.subarray(start, Math.min(this.length, start + largestMessage)));
  }
}

const writer = new MessageWriter();

function oneOf<T>(random: RandomBelow, choices: readonly [T, ...T[]] | readonly T[]): T {
  const choice = choices[random(choices.length)];
  if (choice === undefined) throw new Error("nothing to choose from");
  return choice;
}

/** Labels of a name without its end. */
function writeLabels(random: RandomBelow, count: number, longest: number): void {
  for (let i = 0; i < count; i++) {
    const length = 1 + random(longest);
    writer.byte(length);
    if (random(4) === 0) for (let j = 0; j < length; j++) writer.byte(random(256));
    else writer.filled(length, 0x61 + random(26));
  }
}

type WriteName = (random: RandomBelow) => void;

/** Names that all is right with; one in eight is nobody's here. */
const plainNames: readonly WriteName[] = [
  (random) => {
    const strange = random(8) === 0;
    const labels = strange ? [`n${random(3000)}`, "bad", "test"] : oneOf(random, knownLabels);
    for (const label of labels) writer.label(label);
    writer.byte(0);
  },
];

const oddNames: readonly WriteName[] = [
  () => writer.byte(0),
  (random) => {
    writeLabels(random, 1 + random(4), 20);
    writer.byte(0);
  },
  (random) => {
    writeLabels(random, 4, 63); // at or beyond 255 bytes
    writer.byte(0);
  },
  (random) => {
    for (let i = 100 + random(40); i > 0; i--) writer.label("x");
    writer.byte(0);
  },
  (random) => {
    for (let i = 0; i < 60; i++) writeLabels(random, 1, 63); // 2 to 4 KB of labels without an end
  },
  // Pointers: to themselves, forward, to the header, to the question, in a circle of two, and cut in half.
  () => writer.number16(0xc000 | writer.length),
  () => writer.number16(0xc000 | (writer.length + 2)),
  (random) => writer.number16(0xc000 | random(12)),
  () => writer.number16(0xc00c),
  () => {
    writer.number16(0xc000 | (writer.length + 2));
    writer.number16(0xc000 | (writer.length - 2));
  },
  (random) => {
    writeLabels(random, 1 + random(3), 10);
    writer.number16(0xc000 | random(64));
  },
  (random) => {
    for (let i = 2 + random(100); i > 0; i--) writer.number16(0xc000 | (writer.length - 2)); // a chain
  },
  () => writer.byte(0xc0),
  // Kinds of labels that are not.
  (random) => {
    writer.byte(oneOf(random, [0x40, 0x41, 0x7f, 0x80, 0xbf]));
    writer.filled(random(40), 0x61);
  },
];

function writeName(random: RandomBelow, odd: number): void {
  oneOf(random, random(odd) === 0 ? oddNames : plainNames)(random);
}

function writeQuestion(random: RandomBelow): void {
  writeName(random, 3);
  writer.number16(
    random(12) === 0 ? oneOf(random, [...oddTypes, random(65_536)]) : oneOf(random, commonTypes),
  );
  writer.number16(random(12) === 0 ? oneOf(random, [0, 2, 3, 4, 254, 255, random(65_536)]) : 1);
}

/** An OPT record, more or less (RFC 6891 §6.1.2): its options are long, many, or lie about their length. */
function writeOpt(random: RandomBelow): void {
  if (random(10) === 0) writeName(random, 2);
  else writer.byte(0);
  writer.number16(41);
  writer.number16(oneOf(random, [0, 1, 511, 512, 1232, 4096, 65_535]));
  writer.byte(random(8) === 0 ? random(256) : 0);
  writer.byte(random(8) === 0 ? random(256) : 0);
  writer.number16(random(2) === 0 ? 0x8000 : random(65_536));
  const start = writer.length;
  writer.number16(0);
  for (let left = oneOf(random, [0, 0, 1, 2, 5, 300]); left > 0 && writer.length < largestMessage; left--) {
    const length = random(20) === 0 ? random(1500) : random(24);
    writer.number16(oneOf(random, [3, 8, 10, 11, 12, 15, random(65_536)]));
    writer.number16(random(5) === 0 ? random(65_536) : length);
    writer.filled(length, random(256));
  }
  const length = writer.length - start - 2;
  writer.bytes.writeUInt16BE(random(6) === 0 ? random(65_536) : length, start);
}

/** A record of any type, whose data may be of another length than it says. */
function writeRecord(random: RandomBelow): void {
  writeName(random, 2);
  writer.number16(random(3) === 0 ? random(65_536) : oneOf(random, commonTypes));
  writer.number16(1);
  writer.number16(random(65_536));
  writer.number16(random(65_536));
  const length = random(40);
  writer.number16(random(6) === 0 ? random(65_536) : length);
  writer.filled(length, random(256));
}

function oddCount(random: RandomBelow, real: number): number {
  return random(10) === 0 ? oneOf(random, [0, 1, 2, 255, 65_535, random(65_536)]) : real;
}

function writeHeader(random: RandomBelow, counts: readonly number[]): void {
  writer.number16(random(65_536));
  writer.number16(random(10) === 0 ? random(65_536) : oneOf(random, [0x0100, 0x0120, 0x0110, 0]));
  for (const count of counts) writer.number16(oddCount(random, count));
}

/** Changes a few bytes behind the header. */
function damage(random: RandomBelow, message: Buffer): Buffer {
  for (let left = 1 + random(4); left > 0 && message.length > 12; left--) {
    const at = 12 + random(message.length - 12);
    message[at] = random(3) === 0 ? random(256) : (message[at] ?? 0) ^ (1 << random(8));
  }
  return message;
}

/**
 * A message that is a query as far as its header goes, most of the time, and wrong in one or several of the
 * ways that readers of DNS messages have been brought down by: names, pointers, counts, EDNS, lengths.
 */
export function hostileQuery(random: RandomBelow): Buffer {
  writer.length = 0;
  const questions = oneOf(random, [1, 1, 1, 1, 1, 1, 0, 2, 3, 700]);
  const records = oneOf(random, [0, 0, 0, 0, 1, 3]);
  const opts = oneOf(random, [0, 0, 1, 1, 1, 2]);
  writeHeader(random, [questions, 0, 0, records + opts]);
  for (let left = questions; left > 0 && writer.length < largestMessage; left--) {
    if (left < 600) writeQuestion(random);
    else writer.filled(5, 0); // the root, again and again
  }
  for (let left = records; left > 0 && writer.length < largestMessage; left--) writeRecord(random);
  for (let left = opts; left > 0 && writer.length < largestMessage; left--) writeOpt(random);
  const message = writer.taken();
  return random(4) === 0 ? damage(random, message) : message;
}

type WriteAnswer = (random: RandomBelow) => void;

/** Type, class, TTL and length of a record whose name is written. */
function writeFixed(random: RandomBelow, type: number, length: number): void {
  writer.number16(type);
  writer.number16(1);
  writer.number16(random(8) === 0 ? random(65_536) : 0);
  writer.number16(random(600));
  writer.number16(length);
}

/** Records under the question's name, whose own names point at it. */
const answerRecords: readonly WriteAnswer[] = [
  (random) => {
    writeFixed(random, 1, 4);
    writer.filled(4, random(256));
  },
  (random) => {
    writeFixed(random, 28, 16);
    writer.filled(16, random(256));
  },
  (random) => {
    writeFixed(random, 5, 2);
    writer.number16(0xc00c);
  },
  (random) => {
    writeFixed(random, 15, 6);
    writer.number16(10);
    writer.byte(1);
    writer.byte(0x61);
    writer.number16(0xc00c);
  },
  (random) => {
    writeFixed(random, 6, 24);
    writer.number16(0xc00c);
    writer.number16(0xc00c);
    writer.filled(20, random(256));
  },
  (random) => {
    const length = random(1000);
    writeFixed(random, 16, length);
    writer.filled(length, random(256));
  },
];

/** An upstream server's answer to `query`, which is one of the resolver's own: right id and question, and the rest as bad as may be. */
function hostileAnswer(random: RandomBelow, query: Buffer): Buffer {
  writer.length = 0;
  const question = questionOf(query);
  const counts = [random(4), random(2), random(2)];
  writer.number16(random(25) === 0 ? random(65_536) : query.readUInt16BE(0));
  const flags = 0x8180 | oneOf(random, [0, 0, 0, 0, 0, 0, 2, 3, 3, 5, random(16)]);
  writer.number16(random(20) === 0 ? flags | 0x0200 : flags);
  writer.number16(oddCount(random, 1));
  for (const count of counts) writer.number16(oddCount(random, count));
  writer.length += question.copy(writer.bytes, writer.length);
  for (let left = counts.reduce((sum, count) => sum + count, 0); left > 0; left--) {
    if (random(6) === 0) writeName(random, 2);
    else writer.number16(0xc00c);
    oneOf(random, answerRecords)(random);
  }
  if (random(3) === 0) writeOpt(random);
  const message = writer.taken();
  return random(3) === 0 ? damage(random, message) : message;
}

/** The question of a query that the resolver itself wrote. */
function questionOf(query: Buffer): Buffer {
  let at = 12;
  while ((query[at] ?? 0) !== 0) at += (query[at] ?? 0) + 1;
  return query.subarray(12, at + 5);
}

/** All that an upstream server sends back to `query`: nothing, one answer, or a great many. */
export function hostileAnswers(random: RandomBelow, query: Buffer): readonly Buffer[] {
  const kind = random(100);
  if (kind < 2) return [];
  const count = kind < 4 ? 20 : 1 + (kind < 10 ? random(3) : 0);
  return Array.from({ length: count }, () => hostileAnswer(random, query));
}
