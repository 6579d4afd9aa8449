import { decode, encode, RECURSION_DESIRED } from "dns-packet";

/** A query for the IPv4 address of a name. */
export function queryFor(name: string): Buffer {
  return encode({ type: "query", id: 1, flags: RECURSION_DESIRED, questions: [{ type: "A", name }] });
}

/** What a name server says that gives every name one address. */
export function answerTo(query: Buffer): Buffer {
  const { id = 0, questions = [] } = decode(query);
  return encode({
    type: "response",
    id,
    questions,
    answers: questions.map(({ name }) => ({ type: "A", name, ttl: 60, data: "203.0.113.1" })),
  });
}
