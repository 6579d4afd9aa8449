import type { Timers } from "../environment.ts";
import { type QueryResponse, queryFlags } from "./serf-messages.ts";

/** What one node answered. */
export interface QueryAnswer {
  readonly from: string;
  readonly payload: Uint8Array;
}

interface Waiting {
  readonly answers: Map<string, QueryAnswer>;
  readonly take: (answer: QueryAnswer) => void;
  readonly cancel: () => void;
}

/** The questions that this node asked and still waits for. */
export class QueriesAsked {
  readonly #timers: Timers;
  readonly #waiting = new Map<string, Waiting>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Resolves with the answers, one a node, once there are `expected`, or after `timeout` ms. */
  wait(time: number, id: number, expected: number, timeout: number): Promise<readonly QueryAnswer[]> {
    const key = keyOf(time, id);
    return new Promise((resolve) => {
      const answers = new Map<string, QueryAnswer>();
      const finish = () => {
        cancel();
        this.#waiting.delete(key);
        resolve([...answers.values()]);
      };
      const cancel = this.#timers.after(timeout, finish);
      const take = (answer: QueryAnswer) => {
        answers.set(answer.from, answer);
        if (answers.size >= expected) finish();
      };
      this.#waiting.set(key, { answers, take, cancel: finish });
    });
  }

  /** An answer came; acknowledgements, and answers to what nobody asks any more, are passed over. */
  answer({ time, id, from, flags, payload }: QueryResponse): void {
    if ((flags & queryFlags.ack) !== 0) return;
    const waiting = this.#waiting.get(keyOf(time, id));
    if (waiting === undefined || waiting.answers.has(from)) return;
    waiting.take({ from, payload: Uint8Array.from(payload) });
  }

  /** Resolves what still waits with what it has. */
  close(): void {
    for (const { cancel } of [...this.#waiting.values()]) cancel();
  }
}

function keyOf(time: number, id: number): string {
  return `${time}.${id}`;
}
