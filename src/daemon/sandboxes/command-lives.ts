import { setMaxListeners } from "node:events";
import { type Clock, type Id, isWeftError, type KeyedLock, WeftError } from "../../core/index.ts";
import {
  type ExitStatus,
  exitNumber,
  type ProcessIdentity,
  startFailureNumber,
} from "../../runtime/index.ts";
import type { CommandRunner, EndRun, Run } from "./command-runner.ts";
import type { Openings } from "./openings.ts";
import { longerDelay, restartDelay } from "./restart-delay.ts";
import type { SandboxBook } from "./sandbox-book.ts";
import type { SandboxHappening } from "./sandbox-happening.ts";
import { type Ending, isOpen, type SandboxRecord } from "./sandbox-record.ts";
import { SandboxTimers } from "./sandbox-timers.ts";
import { SandboxWaiters } from "./sandbox-waiters.ts";
import { Settler } from "./settler.ts";
import { ToldEnds } from "./told-ends.ts";

/** What commands are begun and ended with. */
export interface CommandLivesInit {
  readonly book: SandboxBook;
  readonly openings: Openings;
  readonly runner: CommandRunner;
  readonly clock: Clock;
  /** Under which everything that happens to a sandbox is done, by its id. */
  readonly lock: KeyedLock;
  readonly tell: (
    action: SandboxHappening["action"],
    record: SandboxRecord,
    facts?: SandboxHappening["facts"],
  ) => void;
  /** Hears of what went wrong where nobody waited for it. */
  readonly onError: (what: string, error: unknown) => void;
}

/** How long a client that entered a sandbox may take to start its command, ms. */
const claimWithinMs = 60_000;

/**
 * The lives of sandboxes' commands: each begins, ends, by itself or because somebody wants it, and may begin again.
 * Whoever begins or ends one holds the lock of its sandbox.
 * The order of writing: a command is recorded before its first instruction; that it ended, before its
 * sandbox is closed; so a daemon that comes after a crash finds every command, and nothing that has none.
 * A start is refused when it cannot be written. An end is so all the same: it is seen at once, and written as soon
 * as that can be.
 */
export class CommandLives {
  readonly #init: CommandLivesInit;
  readonly #settler: Settler;
  readonly #runs = new Map<Id, Run>();
  /** For sandboxes whose commands are about to be started again, or to be claimed. */
  readonly #timers: SandboxTimers;
  /** Those who wait until a command has ended for good. */
  readonly #waiters = new SandboxWaiters();
  /** Sandboxes whose commands are being ended. */
  readonly #ends = new Set<Id>();
  /** What clients told of the ends of their commands. */
  readonly #told: ToldEnds;
  /** Fires when the ends of commands are waited for no longer. */
  readonly #givenUp = new AbortController();
  #closed = false;

  constructor(init: CommandLivesInit) {
    this.#init = init;
    setMaxListeners(0, this.#givenUp.signal); // one a command that is being ended
    const { clock, lock, onError } = init;
    this.#told = new ToldEnds(clock);
    this.#timers = new SandboxTimers(clock, (error) => onError("start a command again", error));
    this.#settler = new Settler({ clock, lock, onError, settle: (id) => this.#settleNow(id) });
  }

  /** The command of a sandbox, while it is followed. */
  run(id: Id): Run | undefined {
    return this.#runs.get(id);
  }

  /** True while somebody ends the sandbox's command, and says what comes then. */
  isEnding(id: Id): boolean {
    return this.#ends.has(id);
  }

  /** The record of a sandbox when something has become of its command next. Rejects with the signal's reason. */
  next(id: Id, signal: AbortSignal): Promise<SandboxRecord> {
    return this.#waiters.next(id, signal);
  }

  /** The client that started a sandbox's command tells how it ended, by its exit code. */
  hear(id: Id, status: number): void {
    this.#told.tell(id, status);
  }

  /** A person's signal was to stop a run, which may have ended since: nothing starts the command again by itself. */
  async keepStopped(id: Id, run: Run | undefined): Promise<void> {
    const record = this.#init.book.get(id);
    if (record === undefined) return; // removed
    if (record.restarting === true) await this.end(record, 0);
    else if (record.process !== undefined && this.#runs.get(id) === run)
      await this.#keep({ ...record, stopped: true });
  }

  /** Opens a sandbox if need be and starts its command; when that fails, it is closed and its record tells why. */
  async begin(record: SandboxRecord): Promise<void> {
    this.#timers.cancel(record.id);
    try {
      await this.#launch(record);
    } catch (error) {
      await this.#failed(record, error);
      throw error;
    }
  }

  /** {@link begin} of a command that a client has started, and follows too. */
  async claimed(record: SandboxRecord, identity: ProcessIdentity, run: Run): Promise<void> {
    await this.#recordStart(record, identity, true);
    this.#timers.cancel(record.id);
    this.follow(record.id, run);
  }

  /** Leaves a sandbox open for a client, and closes it when that does not come with a command soon. */
  expectClaim(id: Id): void {
    this.#timers.set(id, claimWithinMs, () => this.#init.lock.run(id, () => this.settle(id)));
  }

  async #launch(record: SandboxRecord): Promise<void> {
    const place = await this.#init.openings.open(record);
    const run = await this.#init.runner.start(record, place, (identity) =>
      this.#recordStart(record, identity, false),
    );
    this.follow(record.id, run);
  }

  /** Its command could not be started; of a sandbox that is being made there is nothing to say. */
  async #failed(record: SandboxRecord, error: unknown): Promise<void> {
    const { book, clock } = this.#init;
    if (book.get(record.id) === undefined) return;
    const message = error instanceof Error ? error.message : String(error);
    const ending: Ending = { code: startFailureNumber(error), at: clock.now(), error: message };
    const failed: SandboxRecord = { ...record, process: undefined, restarting: undefined, ending };
    await this.#keep(failed);
    this.#waiters.tell(failed);
  }

  async #recordStart(record: SandboxRecord, identity: ProcessIdentity, client: boolean): Promise<void> {
    const startedAt = this.#init.clock.now();
    const process = { identity, startedAt, client };
    await this.#init.book.put({
      ...record,
      process,
      startedAt,
      ending: undefined,
      restarting: undefined,
      stopped: false,
    });
  }

  /** Waits for the end of a command that runs. */
  follow(id: Id, run: Run): void {
    this.#runs.set(id, run);
    run.exited
      .then((status) => this.#noticed(id, run, status))
      .catch((error: unknown) => this.#init.onError("follow a command", error));
  }

  /** A command has ended by itself, or its end is waited for by whoever holds the lock. */
  async #noticed(id: Id, run: Run, status: ExitStatus): Promise<void> {
    if (this.#closed) return;
    const isClients = this.#init.book.get(id)?.process?.client === true;
    const code = (isClients ? await this.#told.hear(id) : undefined) ?? exitNumber(status) ?? null;
    await this.#init.lock.run(id, async () => {
      const record = this.#init.book.get(id);
      if (this.#closed || record?.process === undefined || this.#runs.get(id) !== run) return;
      await this.ended(record, code);
    });
  }

  /** Records the end of a command, and what comes then: another start, or its sandbox is closed. */
  async ended(record: SandboxRecord, code: number | null): Promise<void> {
    const at = this.#init.clock.now();
    this.#runs.delete(record.id);
    this.#told.forget(record.id);
    this.#init.tell("die", record, { exitCode: code === null ? "unknown" : String(code) });
    const delayMs =
      this.#closed || record.stopped
        ? undefined
        : restartDelay(record.config.RestartPolicy, {
            code: code ?? undefined,
            ranMs: at - (record.startedAt ?? at),
            restarts: record.restarts,
            lastDelayMs: record.lastDelayMs ?? 0,
          });
    const ending: Ending = { code, at, error: "" };
    if (delayMs === undefined) return this.#close({ ...record, process: undefined, ending });
    await this.#waitToStart({ ...record, process: undefined, ending }, delayMs);
  }

  async #waitToStart(record: SandboxRecord, delayMs: number): Promise<void> {
    const waiting: SandboxRecord = { ...record, restarting: true, lastDelayMs: delayMs };
    await this.#keep(waiting);
    this.#waiters.tell(waiting);
    this.again(record.id, delayMs);
  }

  /** Begins a command once more after `delayMs`, unless somebody stops or starts it before. */
  again(id: Id, delayMs: number): void {
    this.#timers.set(id, delayMs, () =>
      this.#init.lock.run(id, async () => {
        const record = this.#init.book.get(id);
        if (record?.restarting !== true || this.#closed) return;
        const next = { ...record, restarts: record.restarts + 1 };
        try {
          await this.#launch(next);
        } catch (error) {
          if (this.#closed) return; // the next daemon goes on with it
          // That it could not be written is not the command's fault, and passes.
          if (isOfStore(error)) await this.#waitToStart(record, longerDelay(delayMs));
          else await this.#failed(next, error);
          throw error;
        }
        this.#init.tell("start", record);
      }),
    );
  }

  /** Ends an active command, which a person asked for. */
  async end(
    record: SandboxRecord,
    timeout: number | undefined,
    { signal, keepOpen = false }: { readonly signal?: string; readonly keepOpen?: boolean } = {},
  ): Promise<void> {
    const { config, id } = record;
    this.#timers.cancel(id);
    const run = this.#runs.get(id);
    const how = {
      graceMs: (timeout ?? config.StopTimeout) * 1000,
      signal: signal ?? config.StopSignal,
      abort: this.#givenUp.signal,
    };
    if (record.process !== undefined) how.abort.throwIfAborted();
    const status = await this.#endRun(id, run, how).catch(async (error: unknown) => {
      if (!keepOpen) await this.#keep({ ...record, stopped: true });
      throw error;
    });
    const ending: Ending | undefined =
      status === undefined
        ? record.ending
        : { code: exitNumber(status) ?? null, at: this.#init.clock.now(), error: "" };
    if (run !== undefined) this.#init.tell("die", record, { exitCode: String(ending?.code ?? "unknown") });
    this.#runs.delete(id);
    const stopped: SandboxRecord = {
      ...record,
      process: undefined,
      restarting: undefined,
      ending,
      stopped: true,
    };
    if (!keepOpen) return this.#close(stopped);
    this.#init.book.note(stopped);
    await this.#init.book.write(id).catch(() => {}); // the start that follows writes it, or is refused for it
  }

  async #endRun(id: Id, run: Run | undefined, how: EndRun): Promise<ExitStatus | undefined> {
    this.#ends.add(id);
    try {
      return await run?.end(how);
    } finally {
      this.#ends.delete(id);
    }
  }

  /** Records that nothing runs in a sandbox any more and closes it; removes it when it is to go by itself. */
  async #close(record: SandboxRecord): Promise<void> {
    if (record.config.AutoRemove) {
      this.#init.book.noteGone(record);
      return this.#dropped(record);
    }
    const ended: SandboxRecord = {
      ...record,
      process: undefined,
      restarting: undefined,
      lastDelayMs: undefined,
    };
    await this.#keep(ended);
    this.#waiters.tell(ended);
  }

  /** Takes a sandbox whose command does not run out of the records, and closes it. */
  async drop(record: SandboxRecord): Promise<void> {
    await this.#init.book.delete(record);
    await this.#dropped(record);
  }

  /** There is no record of it any more. */
  async #dropped(record: SandboxRecord): Promise<void> {
    this.#timers.cancel(record.id);
    await this.#settler.settle(record.id);
    this.#init.runner.forget(record);
    this.#waiters.tell(record);
    this.#init.tell("destroy", record);
  }

  /** What has happened to a sandbox: it is seen at once, and settled now or as soon as that can be. */
  async #keep(record: SandboxRecord): Promise<void> {
    this.#init.book.note(record);
    await this.#settler.settle(record.id);
  }

  /** Writes what was noted of a sandbox, and closes it unless it has to be open, or is for a client that entered it. */
  async #settleNow(id: Id): Promise<void> {
    const { book } = this.#init;
    await book.write(id);
    const record = book.get(id);
    const isToBeOpen = record !== undefined && isOpen(record);
    if (!isToBeOpen && !this.#timers.has(id)) await this.#init.openings.close(id);
  }

  /** Writes what was noted of a sandbox and closes it, if it need not be open: now, or as soon as that can be. */
  settle(id: Id): Promise<void> {
    return this.#settler.settle(id);
  }

  /**
   * Waits no longer for the ends of commands that somebody stops, removes or restarts: these are refused with ABORTED.
   * What was to be stopped for good has had its signal and is not started again once it ends.
   */
  giveUp(): void {
    this.#givenUp.abort(new WeftError("ABORTED", "the daemon is closing"));
  }

  /** Follows nothing any more; commands run on. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timers.close();
    const ends = [...this.#ends];
    this.giveUp();
    await Promise.all(ends.map((id) => this.#init.lock.run(id, async () => {}))); // until they have said so
    this.#timers.cancelAll();
    await this.#settler.close();
    this.#runs.clear();
  }
}

/** Whether the disk, and nothing else, kept something from being done. */
function isOfStore(error: unknown): boolean {
  return isWeftError(error, "DISK_FULL") || isWeftError(error, "STORE");
}
