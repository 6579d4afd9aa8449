import { rcode } from "../protocol.ts";
import type { StartTimer, Timer } from "../timers.ts";
import type { AskedQuestion } from "./asked-question.ts";
import { Exchange, type ExchangeTools, type Outcome } from "./exchange.ts";
import { failureLifeSeconds, type LookupResult, notAsked } from "./lookup-result.ts";
import { askingOrder, type Upstream } from "./upstream.ts";
import { isPositive, type UpstreamAnswer } from "./upstream-answer.ts";

/** What lookups work with. */
export interface LookupTools extends ExchangeTools {
  readonly startTimer: StartTimer;
}

/** After this long without an answer, a server counts as silent and is asked again, ms. */
export const silenceMs = 1500;
/** The longest that a lookup takes, ms: resolvers of C libraries give up after 5 s. */
export const lookupMs = 4500;
/** Queries that one lookup sends at most, besides one to each server. */
const maxRepeats = 4;

/** One server's part in a lookup. */
interface Attempt {
  readonly upstream: Upstream;
  /** Its place in the order of asking; a smaller one is believed sooner. */
  readonly rank: number;
  readonly startedAt: number;
  state: "waiting" | "silent" | "over";
  exchange: Exchange | undefined;
  timer: Timer | undefined;
}

/** A server's word that there is nothing. */
interface Nothing {
  readonly answer: UpstreamAnswer;
  readonly rank: number;
}

/**
 * Asks servers one question until one of them answers. The next one is asked as well when a server takes
 * longer than it usually does, and at once when it refuses or cannot be reached. The first answer with
 * records wins. That there is nothing is believed of a server only when those before it had their time:
 * a company's own server may know names that the next one says do not exist.
 *
 * Servers that stay silent are asked again, each on a new socket; the older ones stay open for late
 * answers. It ends with one call of `done`, which may come while it begins, or with {@link Lookup.cancel}.
 */
export class Lookup {
  readonly #asked: AskedQuestion;
  readonly #tools: LookupTools;
  readonly #done: (result: LookupResult) => void;
  readonly #attempts: Attempt[] = [];
  readonly #order: readonly Upstream[];
  /** The servers of this round, and how many of them have been asked. */
  #round: readonly Upstream[];
  #askedInRound = 0;
  #step: Timer | undefined;
  #deadline: Timer | undefined;
  #over = false;
  #nothing: Nothing | undefined;
  #truncated: UpstreamAnswer | undefined;
  #refusal: number | undefined;
  #reached = false;
  /** The first in order of the servers that were not asked because whoever asks has no more room. */
  #withoutRoom = Number.POSITIVE_INFINITY;

  constructor(
    upstreams: readonly Upstream[],
    asked: AskedQuestion,
    tools: LookupTools,
    done: (result: LookupResult) => void,
  ) {
    this.#order = askingOrder(upstreams);
    this.#round = this.#order;
    this.#asked = asked;
    this.#tools = tools;
    this.#done = done;
  }

  /** Asks the first server. */
  begin(): void {
    this.#deadline = this.#tools.startTimer(lookupMs, () => this.#giveUp());
    this.#askNext();
  }

  /** Ends it without a result. */
  cancel(): void {
    this.#over = true;
    this.#step?.stop();
    this.#deadline?.stop();
    for (const attempt of this.#attempts) closeAttempt(attempt);
  }

  #askNext(): void {
    this.#step?.stop();
    const upstream = this.#round[this.#askedInRound++];
    if (upstream === undefined) return; // never: it is called when there is one
    const { startTimer, now } = this.#tools;
    const again = this.#attempts.some((attempt) => attempt.upstream === upstream);
    const attempt: Attempt = {
      upstream,
      rank: this.#order.indexOf(upstream),
      startedAt: now(),
      state: "waiting",
      exchange: undefined,
      timer: undefined,
    };
    this.#attempts.push(attempt);
    attempt.timer = startTimer(silenceMs, () => this.#silent(attempt));
    const isLast = this.#askedInRound === this.#round.length;
    this.#step = startTimer(isLast ? silenceMs : upstream.patienceMs, () => this.#goOn());
    attempt.exchange = new Exchange(upstream, this.#asked, again, this.#tools, (outcome) =>
      this.#heard(attempt, outcome),
    );
    attempt.exchange.begin();
  }

  /** It is time for the next server, or for a new round of those that have said nothing. */
  #goOn(): void {
    if (this.#askedInRound === this.#round.length) {
      const open = this.#order.filter((upstream) =>
        this.#attempts.some((attempt) => attempt.upstream === upstream && attempt.state !== "over"),
      );
      if (this.#attempts.length + open.length > this.#order.length + maxRepeats) return;
      this.#round = open;
      this.#askedInRound = 0;
    }
    if (this.#round.length > 0) this.#askNext();
  }

  #silent(attempt: Attempt): void {
    attempt.state = "silent";
    this.#tools.counters.upstreamTimeouts++;
    attempt.upstream.noteSilence(attempt.startedAt);
    this.#reached = true;
    this.#believeNothing();
  }

  #heard(attempt: Attempt, outcome: Outcome): void {
    closeAttempt(attempt);
    if (outcome.kind === "no-room") this.#withoutRoom = Math.min(this.#withoutRoom, attempt.rank);
    else if (outcome.kind !== "not-asked") this.#reached = true;
    if (outcome.kind === "refusal") this.#refusal = outcome.rcode;
    if (outcome.kind === "answer") {
      if (outcome.truncated) this.#truncated = outcome;
      else if (isPositive(outcome)) {
        this.#finish(outcome, attempt.rank);
        return;
      } else this.#holdNothing(outcome, attempt.rank);
    }
    this.#afterOne();
  }

  /** Goes on after one server has had its say without ending the lookup. */
  #afterOne(): void {
    if (this.#believeNothing()) return;
    if (this.#nothing !== undefined) return; // only those before it are waited for
    if (this.#askedInRound < this.#round.length) this.#askNext();
    else if (this.#attempts.every(({ state }) => state === "over")) this.#giveUp();
  }

  #holdNothing(answer: UpstreamAnswer, rank: number): void {
    if (this.#nothing === undefined || rank < this.#nothing.rank) this.#nothing = { answer, rank };
    this.#step?.stop();
  }

  /** Ends the lookup if a server said that there is nothing, and none before it may still know better. */
  #believeNothing(): boolean {
    const nothing = this.#nothing;
    if (nothing === undefined || this.#over) return this.#over;
    if (this.#attempts.some(({ rank, state }) => rank < nothing.rank && state === "waiting")) return false;
    this.#finish(this.#credible(nothing), nothing.rank);
    return true;
  }

  /**
   * What a server's word that there is nothing comes to. Without the word of one before it, for which there
   * was no room, it is not told: whoever fills their own room would make all others believe it.
   */
  #credible({ answer, rank }: Nothing): LookupResult {
    return this.#withoutRoom < rank ? notAsked : answer;
  }

  /** Time is up, or all have had their say. */
  #giveUp(): void {
    const failure: LookupResult = this.#reached
      ? { kind: "failure", rcode: this.#refusal ?? rcode.SERVFAIL, lifeSeconds: failureLifeSeconds }
      : notAsked;
    const nothing = this.#nothing === undefined ? undefined : this.#credible(this.#nothing);
    this.#finish(nothing ?? this.#truncated ?? failure, undefined);
  }

  /** Ends it with what the server of `rank` said; those before it that were given up on were too slow. */
  #finish(result: LookupResult, rank: number | undefined): void {
    if (this.#over) return;
    const now = this.#tools.now();
    for (const attempt of this.#attempts) {
      const outrun = rank !== undefined && attempt.rank < rank && attempt.state === "waiting";
      if (outrun && now - attempt.startedAt >= attempt.upstream.patienceMs) {
        attempt.upstream.noteSilence(attempt.startedAt);
      }
    }
    this.cancel();
    this.#done(result);
  }
}

function closeAttempt(attempt: Attempt): void {
  attempt.state = "over";
  attempt.timer?.stop();
  attempt.exchange?.close();
}
