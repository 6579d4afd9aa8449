import type { Random } from "../../core/index.ts";
import type { DnsCounters } from "../counters.ts";
import { rcode } from "../protocol.ts";
import type { AskedQuestion } from "./asked-question.ts";
import type { ServerPlaces } from "./socket-places.ts";
import type { Upstream } from "./upstream.ts";
import { readUpstreamReply, type UpstreamAnswer, type UpstreamReply } from "./upstream-answer.ts";
import { encodeUpstreamQuery } from "./upstream-query.ts";
import type { UpstreamSocket, UpstreamSockets } from "./upstream-sockets.ts";

/** What asking one server came to. */
export type Outcome =
  | UpstreamAnswer
  /** The server answered, but not the question. */
  | { readonly kind: "refusal"; readonly rcode: number }
  /** It could not be reached, or sent what is no answer. */
  | { readonly kind: "failed" }
  /** It was not asked, for lack of its namespace or of a way to it. */
  | { readonly kind: "not-asked" }
  /** It was not asked, because whoever asks has as many sockets as they may have. */
  | { readonly kind: "no-room" };

/** What exchanges work with. */
export interface ExchangeTools {
  readonly sockets: UpstreamSockets;
  /** Ids are the only secret besides the port, so it has to be unpredictable. */
  readonly random: Random;
  /** A clock that never jumps, ms. */
  readonly now: () => number;
  readonly counters: DnsCounters;
  /** Bounds the sockets that are open at once, fairly between servers and those who ask them. */
  readonly places: ServerPlaces<Upstream>;
}

/**
 * Messages that answer something else before the server is asked over TCP, where nobody can slip them in;
 * a server that goes on with them there is not listened to for longer.
 */
const maxStrays = 16;

/**
 * One question to one server: over UDP, and over TCP when the answer is too long for that. It ends with
 * one call of `done`, which may come while it begins, or with {@link Exchange.close}. How long to wait is
 * its user's affair.
 */
export class Exchange {
  readonly #upstream: Upstream;
  readonly #asked: AskedQuestion;
  readonly #tools: ExchangeTools;
  readonly #done: (outcome: Outcome) => void;
  readonly #startedAt: number;
  #edns: boolean;
  #id = 0;
  #transport: "udp" | "tcp" = "udp";
  #socket: UpstreamSocket | undefined;
  #open = false;
  #strays = 0;
  /** It asks without EDNS because the server refused that, or said nothing to it. */
  #avoidsEdns: boolean;
  /** What came over UDP, when the whole answer is asked for over TCP. */
  #truncated: UpstreamAnswer | undefined;

  /** `again` says that this server was asked before and was silent. */
  constructor(
    upstream: Upstream,
    asked: AskedQuestion,
    again: boolean,
    tools: ExchangeTools,
    done: (outcome: Outcome) => void,
  ) {
    this.#upstream = upstream;
    this.#asked = asked;
    this.#tools = tools;
    this.#done = done;
    this.#startedAt = tools.now();
    this.#edns = upstream.wantsEdns(this.#startedAt, again);
    this.#avoidsEdns = again && !this.#edns;
  }

  /** Asks. */
  begin(): void {
    if (this.#tools.places.take(this.#upstream)) {
      this.#open = true;
      this.#send("udp");
      return;
    }
    this.#tools.counters.limited++;
    this.#done({ kind: "no-room" });
  }

  /** Ends it without an outcome. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#socket?.close();
    this.#tools.places.give(this.#upstream);
  }

  /** Sends the question, with a fresh id, from a new socket. */
  #send(transport: "udp" | "tcp"): void {
    const { sockets, counters, random } = this.#tools;
    this.#socket?.close();
    this.#socket = undefined;
    this.#transport = transport;
    const [high = 0, low = 0] = random.bytes(2);
    this.#id = (high << 8) | low;
    const query = encodeUpstreamQuery(this.#asked, this.#id, this.#edns);
    try {
      this.#socket = sockets[transport](this.#upstream.server, query, {
        message: (message) => this.#take(readUpstreamReply(message, this.#asked, this.#id)),
        failed: () => this.#fail(),
      });
    } catch {
      // Its namespace is gone, there is no way to it, or no descriptor left: the client is told SERVFAIL.
      this.#end(this.#truncated ?? { kind: "not-asked" });
      return;
    }
    this.#upstream.noteAsked();
    counters.upstreamQueries++;
    if (transport === "tcp") counters.upstreamOverTcp++;
  }

  #take(reply: UpstreamReply): void {
    switch (reply.kind) {
      case "stray":
        this.#stray();
        break;
      case "broken":
        this.#fail();
        break;
      case "refusal":
        this.#refused(reply.rcode);
        break;
      case "truncated":
        this.#noteAnswer();
        this.#truncated = reply.answer;
        if (this.#transport === "udp") this.#send("tcp");
        else this.#end(reply.answer);
        break;
      case "answer":
        this.#noteAnswer();
        this.#end(reply);
        break;
    }
  }

  #stray(): void {
    this.#tools.counters.strayAnswers++;
    if (++this.#strays < maxStrays) return;
    this.#strays = 0;
    if (this.#transport === "udp") this.#send("tcp");
    else this.#fail();
  }

  /** It may be the name's fault alone, so nothing is held against the server. */
  #refused(code: number): void {
    const notUnderstood = code === rcode.FORMERR || code === rcode.NOTIMP;
    if (this.#edns && notUnderstood) {
      this.#edns = false; // RFC 6891 §7
      this.#avoidsEdns = true;
      this.#send(this.#transport);
      return;
    }
    this.#end({ kind: "refusal", rcode: code });
  }

  #fail(): void {
    if (this.#truncated !== undefined) {
      this.#end(this.#truncated); // the server is well, it only speaks no TCP
      return;
    }
    this.#upstream.noteFailure();
    this.#end({ kind: "failed" });
  }

  #noteAnswer(): void {
    if (this.#truncated !== undefined) return; // noted when that came
    const now = this.#tools.now();
    if (this.#avoidsEdns) this.#upstream.noteWithoutEdns(now);
    this.#upstream.noteAnswer(now, this.#transport === "udp" ? now - this.#startedAt : undefined, this.#edns);
  }

  #end(outcome: Outcome): void {
    this.close();
    this.#done(outcome);
  }
}
