import type { QueryAnswer } from "./queries-asked.ts";
import { decodeKeyResponse } from "./serf-messages.ts";

/** What a question about keys has brought together. */
export interface KeyAnswers {
  /** How many members there are, and how many of them answered. */
  readonly members: number;
  readonly answered: number;
  /** By node, why it did not do it. */
  readonly failures: ReadonlyMap<string, string>;
  /** By key in base64, how many nodes have it; and how many seal with it. */
  readonly keys: ReadonlyMap<string, number>;
  readonly primaries: ReadonlyMap<string, number>;
}

/** Counts the answers of a cluster of `members`. */
export function tallyKeys(answers: readonly QueryAnswer[], members: number): KeyAnswers {
  const failures = new Map<string, string>();
  const keys = new Map<string, number>();
  const primaries = new Map<string, number>();
  const count = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);
  for (const { from, payload } of answers) {
    const response = decodeKeyResponse(payload);
    if (response === undefined) failures.set(from, "an answer that cannot be read");
    else if (!response.ok) failures.set(from, response.message);
    else {
      for (const key of response.keys) count(keys, key);
      if (response.primary !== "") count(primaries, response.primary);
    }
  }
  return { members, answered: answers.length, failures, keys, primaries };
}
