import type { Id } from "../../core/index.ts";
import { FairShare } from "../fair-share.ts";
import { rcode } from "../protocol.ts";
import type { AskingQuery } from "../query.ts";
import type { ForwardRequest, Reply, Upstreams } from "../responder.ts";
import { answerLimit, encodeRefusal } from "../response.ts";
import { AnswerCache, type CacheLimits, defaultCacheLimits } from "./answer-cache.ts";
import { type AskedQuestion, askedQuestion } from "./asked-question.ts";
import { encodeClientAnswer } from "./client-answer.ts";
import { Lookup, type LookupTools } from "./lookup.ts";
import type { LookupResult } from "./lookup-result.ts";
import { Probes } from "./probes.ts";
import { isRefusedType } from "./question-types.ts";
import { SocketPlaces } from "./socket-places.ts";
import type { Upstream, UpstreamStatus } from "./upstream.ts";
import { type Forwarding, usableServers } from "./upstream-server.ts";
import { type UpstreamSet, UpstreamSets } from "./upstream-sets.ts";

/** What forwarding may use. Each limit is shared fairly, see FairShare and SocketPlaces. */
export interface ForwardLimits {
  /** Lookups at a time, shared between sandboxes. */
  readonly lookups: number;
  /** Queries at a time that wait for lookups, shared between sandboxes. */
  readonly waiting: number;
  /** Sockets at a time, shared between upstream servers, and those of a server between sandboxes. */
  readonly sockets: number;
  readonly cache: CacheLimits;
}

/**
 * 2,048 lookups, of which one sandbox gets at most 1,024, as many as the reference's; 8,192 waiting
 * queries; 3,072 sockets, of which a server that answers nothing holds at most 1,536, and one sandbox's
 * questions to it at most 1,024; a cache of which no sandbox can push out what others have in it.
 */
export const defaultForwardLimits: ForwardLimits = {
  lookups: 2048,
  waiting: 8192,
  sockets: 3072,
  cache: defaultCacheLimits,
};

/** What a forwarder works with. */
export interface ForwarderInit extends Omit<LookupTools, "places"> {
  readonly limits: ForwardLimits;
}

/** Forwarding as it is now. */
export interface ForwardStats {
  /** Every upstream server that a sandbox uses. */
  readonly upstreams: readonly UpstreamStatus[];
  readonly cacheEntries: number;
  readonly cacheBytes: number;
  /** Lookups that run. */
  readonly lookups: number;
}

interface SandboxForwarding {
  readonly sandbox: Id;
  readonly set: UpstreamSet;
  /** With the sandbox's own share of sockets. */
  readonly tools: LookupTools;
  readonly upstreams: Upstreams;
}

/** A query that waits for a lookup. */
interface Waiter {
  readonly sandbox: Id;
  readonly query: AskingQuery;
  readonly limit: number;
  readonly resolve: (reply: Reply) => void;
}

interface PendingLookup {
  readonly lookup: Lookup;
  /** The sandbox whose place it takes. */
  readonly owner: Id;
  waiters: Waiter[];
}

/**
 * Asks upstream servers what sandboxes' networks do not know. Sandboxes with the same servers share one
 * cache, and one lookup for the same question; what is learnt of a server is shared by all who use it.
 */
export class Forwarder {
  readonly #init: ForwarderInit;
  readonly #sockets: SocketPlaces<Upstream, Id | undefined>;
  readonly #cache: AnswerCache<Id>;
  readonly #probes: Probes;
  readonly #sets: UpstreamSets;
  readonly #sandboxes = new Map<Id, SandboxForwarding>();
  readonly #lookups = new Map<string, PendingLookup>();
  readonly #lookupPlaces: FairShare<Id>;
  readonly #waitingPlaces: FairShare<Id>;

  constructor(init: ForwarderInit) {
    this.#init = init;
    this.#sockets = new SocketPlaces(init.limits.sockets);
    this.#cache = new AnswerCache(init.limits.cache);
    this.#probes = new Probes({ ...init, places: this.#sockets.of(undefined) });
    this.#sets = new UpstreamSets((upstream) => this.#probes.end(upstream));
    this.#lookupPlaces = new FairShare(init.limits.lookups);
    this.#waitingPlaces = new FairShare(init.limits.waiting);
  }

  /** Makes these the servers of `sandbox` for what it asks from now on; what is under way goes on. */
  set(sandbox: Id, forwarding: Forwarding): void {
    const before = this.#sandboxes.get(sandbox);
    const servers = usableServers(forwarding);
    if (servers.length === 0) this.#sandboxes.delete(sandbox);
    else {
      const own: SandboxForwarding = {
        sandbox,
        set: this.#sets.acquire(servers),
        tools: { ...this.#init, places: this.#sockets.of(sandbox) },
        upstreams: {
          keepsBareNames: (forwarding.ndots ?? 0) > 0,
          forward: (request) => this.#forward(own, request),
        },
      };
      this.#sandboxes.set(sandbox, own);
    }
    if (before !== undefined) this.#sets.release(before.set);
  }

  /** Where the unknown names of `sandbox` go; undefined when nowhere. */
  upstreamsOf(sandbox: Id): Upstreams | undefined {
    return this.#sandboxes.get(sandbox)?.upstreams;
  }

  /** Forgets `sandbox`: what it waits for is not answered, and ends unless others wait for it too. */
  remove(sandbox: Id): void {
    const forwarding = this.#sandboxes.get(sandbox);
    this.#sandboxes.delete(sandbox);
    this.#cache.disown(sandbox);
    if (forwarding !== undefined) this.#sets.release(forwarding.set);
    for (const [key, pending] of [...this.#lookups]) {
      const gone = pending.waiters.filter((waiter) => waiter.sandbox === sandbox);
      if (gone.length === 0) continue;
      pending.waiters = pending.waiters.filter((waiter) => waiter.sandbox !== sandbox);
      if (pending.waiters.length === 0) this.#cancel(key, pending);
      for (const waiter of gone) this.#answer(waiter, undefined);
    }
  }

  /** Forgets every answer that is kept. What is under way is answered, and kept, as it comes. */
  flushCache(): void {
    this.#cache.clear();
  }

  /** Figures as they are now. */
  stats(): ForwardStats {
    const { entries, bytes } = this.#cache.size;
    return {
      upstreams: this.#sets.statuses(),
      cacheEntries: entries,
      cacheBytes: bytes,
      lookups: this.#lookups.size,
    };
  }

  /** Forgets every sandbox, and closes every socket. */
  close(): void {
    for (const sandbox of [...this.#sandboxes.keys()]) this.remove(sandbox);
    for (const [key, pending] of [...this.#lookups]) {
      this.#cancel(key, pending); // of a sandbox whose servers were taken away meanwhile
      for (const waiter of pending.waiters) this.#answer(waiter, undefined);
    }
    this.#probes.close();
  }

  #forward(own: SandboxForwarding, { query, transport }: ForwardRequest): Reply | Promise<Reply> {
    const { sandbox, set } = own;
    const { counters, now } = this.#init;
    counters.forwarded++;
    if (isRefusedType(query.question.type)) return encodeRefusal(query, rcode.REFUSED);
    const asked = askedQuestion(query);
    const key = `${set.id} ${asked.key}`;
    const limit = answerLimit(query, transport);
    const time = now();
    const cached = this.#cache.get(key, time, sandbox);
    if (cached !== undefined) {
      counters.cacheHits++;
      return encodeResult(query, cached.result, Math.floor((time - cached.storedAt) / 1000), limit);
    }
    if (!this.#mayWait(sandbox, key)) {
      counters.limited++;
      return encodeRefusal(query, rcode.SERVFAIL); // at once: whoever asks too much need not wait for it
    }
    return new Promise((resolve) => {
      const waiter = { sandbox, query: kept(query), limit, resolve };
      const pending = this.#lookups.get(key);
      if (pending === undefined) this.#begin(key, own, asked, waiter);
      else {
        counters.deduplicated++;
        pending.waiters.push(waiter);
      }
    });
  }

  /** Takes the places that a query needs; false when one of them is not to be had. */
  #mayWait(sandbox: Id, key: string): boolean {
    if (!this.#waitingPlaces.take(sandbox)) return false;
    if (this.#lookups.has(key) || this.#lookupPlaces.take(sandbox)) return true;
    this.#waitingPlaces.give(sandbox);
    return false;
  }

  #begin(
    key: string,
    { sandbox, set, tools }: SandboxForwarding,
    asked: AskedQuestion,
    waiter: Waiter,
  ): void {
    const lookup = new Lookup(set.upstreams, asked, tools, (result) => {
      this.#end(key, result);
      this.#probes.begin(set.upstreams); // of those that it has cast doubt on
    });
    this.#lookups.set(key, { lookup, owner: sandbox, waiters: [waiter] });
    this.#probes.begin(set.upstreams, asked);
    lookup.begin();
  }

  #end(key: string, result: LookupResult): void {
    const pending = this.#lookups.get(key);
    if (pending === undefined) return; // never: a lookup ends once
    this.#forget(key, pending);
    const [first] = pending.waiters; // of a sandbox that is still there, while the owner may be gone
    if (first !== undefined) this.#cache.put(key, result, this.#init.now(), first.sandbox);
    for (const waiter of pending.waiters) {
      this.#answer(waiter, encodeResult(waiter.query, result, 0, waiter.limit));
    }
  }

  #cancel(key: string, pending: PendingLookup): void {
    pending.lookup.cancel();
    this.#forget(key, pending);
  }

  #forget(key: string, { owner }: PendingLookup): void {
    this.#lookups.delete(key);
    this.#lookupPlaces.give(owner);
  }

  #answer({ sandbox, resolve }: Waiter, reply: Reply): void {
    this.#waitingPlaces.give(sandbox);
    resolve(reply);
  }
}

/** A query that outlives its message, whose memory is used again. */
function kept(query: AskingQuery): AskingQuery {
  return { ...query, question: { ...query.question, bytes: new Uint8Array(query.question.bytes) } };
}

function encodeResult(query: AskingQuery, result: LookupResult, ageSeconds: number, limit: number): Buffer {
  if (result.kind === "failure") return encodeRefusal(query, result.rcode);
  return encodeClientAnswer(query, result, ageSeconds, limit);
}
