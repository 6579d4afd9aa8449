import type { Event, EventQuery } from "../api/index.ts";
import { type Clock, newId, type Random, shortId, WeftError } from "../core/index.ts";
import { type FilterKeys, filterBy, hasLabel } from "./listing-filters.ts";
import { parseTime, timeText } from "./time-text.ts";

/** How many events are kept for those who resume. */
const kept = 10_000;

/** What an event is about. */
export type NewEvent = Pick<Event, "Type" | "Action"> & {
  readonly Actor: {
    readonly Id: string;
    readonly Name: string;
    readonly Attributes?: Readonly<Record<string, string>>;
  };
};

const filterKeys: FilterKeys<Event> = {
  type: ({ Type }, value) => Type === value,
  event: ({ Action }, value) => Action === value,
  network: ({ Type, Actor }, value) =>
    Type === "network" ? isActor(Actor, value) : Actor.Attributes.network === value,
  sandbox: ({ Type, Actor }, value) =>
    Type === "sandbox" ? isActor(Actor, value) : Actor.Attributes.sandbox === value,
  label: ({ Actor }, value) => hasLabel(Actor.Attributes, value),
};

/** What tells a daemon's events from another's: 12 hexadecimal digits. One is a letter, for figures alone are a time. */
export function newRun(random: Random): string {
  for (;;) {
    const run = shortId(newId(random));
    if (/[a-f]/.test(run)) return run;
  }
}

/** The last events of this daemon, and those who follow them. */
export class EventLog {
  readonly #clock: Pick<Clock, "now" | "sleep">;
  /** {@link newRun}; an event's id is this, a dot and a number. */
  readonly #run: string;
  readonly #events: Event[] = [];
  /** The number of the first event that is kept. */
  #first = 1;
  readonly #readers = new Set<() => void>();

  constructor(clock: Pick<Clock, "now" | "sleep">, run: string) {
    this.#clock = clock;
    this.#run = run;
  }

  /** Adds an event and wakes those who follow. */
  add({ Type, Action, Actor }: NewEvent): void {
    const number = this.#first + this.#events.length;
    this.#events.push({
      Id: `${this.#run}.${number}`,
      Time: timeText(this.#clock.now()),
      Type,
      Action,
      Actor: { Id: Actor.Id, Name: Actor.Name, Attributes: { ...Actor.Attributes } },
    });
    if (this.#events.length > 2 * kept) {
      this.#events.splice(0, kept);
      this.#first += kept;
    }
    for (const wake of [...this.#readers]) wake();
  }

  /**
   * Events after `since` that pass the filters, and then those to come, until `signal` fires or the time
   * `until` is reached. Throws INVALID_OPTION for a filter, a time or an id that cannot be read, EVENTS_LOST for one too long ago; a reader that
   * falls so far behind that events were forgotten meanwhile ends by EVENTS_LOST.
   */
  follow({ since, until, filters, signal }: EventQuery): AsyncIterable<Event> {
    const passes = filterBy(filters, filterKeys);
    const end = until === undefined ? undefined : parseTime("until", until);
    const from = since === undefined ? this.#first + this.#events.length : this.#after(since);
    return this.#read(from, passes, end, signal);
  }

  async *#read(
    from: number,
    passes: (event: Event) => boolean,
    end: number | undefined,
    signal: AbortSignal,
  ): AsyncIterable<Event> {
    for (let next = from; !signal.aborted; ) {
      if (next < this.#first) throw eventsLost();
      const event = this.#events[next - this.#first];
      if (event === undefined) {
        if (end !== undefined && this.#clock.now() >= end) return;
        await this.#more(end, signal);
        continue;
      }
      next++;
      if (end !== undefined && Date.parse(event.Time) > end) return;
      if (passes(event)) yield event;
    }
  }

  /** Resolves when there is another event, the time is over, or `signal` fires. */
  async #more(end: number | undefined, signal: AbortSignal): Promise<void> {
    const waiting = new AbortController();
    const woken = new Promise<void>((resolve) => {
      const wake = () => {
        this.#readers.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#readers.add(wake);
      signal.addEventListener("abort", wake, { once: true });
      if (end !== undefined)
        this.#clock.sleep(Math.max(0, end - this.#clock.now()), waiting.signal).then(wake, () => {});
    });
    await woken;
    waiting.abort();
  }

  /** The number of the event that comes after an id or a time. */
  #after(since: string): number {
    const [, run, number] = /^([0-9a-z-]+)\.([0-9]+)$/.exec(since) ?? [];
    if (run !== undefined && !/^[0-9]+$/.test(run)) {
      if (run !== this.#run) return this.#first; // another daemon's: all of this one's are after it
      if (Number(number) + 1 < this.#first) throw eventsLost();
      return Number(number) + 1;
    }
    const time = parseTime("since", since);
    const index = this.#events.findIndex((event) => Date.parse(event.Time) > time);
    return index < 0 ? this.#first + this.#events.length : this.#first + index;
  }
}

function isActor({ Id, Name }: Event["Actor"], value: string): boolean {
  return Name === value || (value !== "" && Id.startsWith(value));
}

function eventsLost(): WeftError {
  return new WeftError(
    "EVENTS_LOST",
    `events were lost: the last ${kept} are kept, and more have come since`,
  );
}
