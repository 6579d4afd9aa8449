import { setMaxListeners } from "node:events";
import type { EndpointConfig, SandboxCreate } from "../../api/index.ts";
import { type Controller, checkName } from "../../cnm/index.ts";
import {
  type Clock,
  type Id,
  isWeftError,
  KeyedLock,
  newId,
  type Random,
  runAll,
  WeftError,
} from "../../core/index.ts";
import {
  type ExitStatus,
  exitNumber,
  type ProcessIdentity,
  parseSignal,
  startFailureNumber,
} from "../../runtime/index.ts";
import type { CommandRunner, EndRun, Place, Run } from "./command-runner.ts";
import { checkCommand } from "./launched-runner.ts";
import { madeUpName } from "./made-up-name.ts";
import { initialNetworks, parseNetworkMode } from "./model-sandbox.ts";
import { Openings } from "./openings.ts";
import { longerDelay, restartDelay } from "./restart-delay.ts";
import type { SandboxBook } from "./sandbox-book.ts";
import { SandboxNetworks } from "./sandbox-networks.ts";
import { type Ending, isOpen, type SandboxRecord } from "./sandbox-record.ts";
import { checkTogether, needCommand, refuseEnded } from "./sandbox-refusals.ts";
import { SandboxTimers } from "./sandbox-timers.ts";
import { SandboxWaiters } from "./sandbox-waiters.ts";
import { Settler } from "./settler.ts";
import { ToldEnds, tellWithinMs } from "./told-ends.ts";

/** What happens to sandboxes, for whoever follows it. */
export interface SandboxHappening {
  readonly action:
    | "create"
    | "start"
    | "die"
    | "kill"
    | "stop"
    | "restart"
    | "destroy"
    | "connect"
    | "disconnect";
  readonly sandbox: Pick<SandboxRecord, "id" | "name">;
  readonly facts?: Readonly<Record<string, string>>;
}

/** What sandboxes are kept with. */
export interface SandboxKeeperInit {
  readonly controller: Controller;
  readonly book: SandboxBook;
  readonly runner: CommandRunner;
  readonly clock: Clock;
  readonly random: Random;
  readonly tell: (happening: SandboxHappening) => void;
  /** Hears of what went wrong where nobody waited for it. */
  readonly onError: (what: string, error: unknown) => void;
}

/** How long a client that entered a sandbox may take to start its command, ms. */
const claimWithinMs = 60_000;

/**
 * The sandboxes of a daemon through their lives. What is done to one sandbox is done one after the other.
 * The order of writing: a command is recorded before its first instruction; that it ended, before its
 * sandbox is closed; so a daemon that comes after a crash finds every command, and nothing that has none.
 * A start is refused when it cannot be written. An end is so all the same: it is seen at once, and written as soon
 * as that can be.
 */
export class SandboxKeeper {
  readonly #init: SandboxKeeperInit;
  readonly #openings: Openings;
  readonly #networks: SandboxNetworks;
  readonly #lock = new KeyedLock();
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

  constructor(init: SandboxKeeperInit) {
    this.#init = init;
    this.#openings = new Openings(init.controller, init.book);
    this.#networks = new SandboxNetworks(init.controller, init.book, this.#openings);
    setMaxListeners(0, this.#givenUp.signal); // one a command that is being ended
    const { clock, onError } = init;
    this.#told = new ToldEnds(clock);
    this.#timers = new SandboxTimers(clock, (error) => onError("start a command again", error));
    this.#settler = new Settler({ clock, lock: this.#lock, onError, settle: (id) => this.#settle(id) });
  }

  /** The model's part of an open sandbox. */
  get openings(): Pick<Openings, "get" | "place"> {
    return this.#openings;
  }

  /** Makes a sandbox; with `start` its command runs when this resolves. When something is refused, there is none. */
  async create(config: SandboxCreate, { start }: { readonly start: boolean }): Promise<SandboxRecord> {
    const { book, random } = this.#init;
    const mode = parseNetworkMode(config.NetworkMode);
    checkTogether(config);
    if (config.Name !== "") checkName("sandbox", config.Name);
    const name = config.Name === "" ? madeUpName(random, (one) => book.isTaken(one)) : config.Name;
    const networks = initialNetworks(mode, config.Networks);
    for (const { Network } of networks) this.#init.controller.network(Network);
    const draft: SandboxRecord = {
      id: newId(random),
      name,
      created: this.#init.clock.now(),
      config,
      networks,
      restarts: 0,
      stopped: false,
    };
    checkCommand(draft);
    book.claim(name, draft.id);
    try {
      await this.#lock.run(draft.id, () => this.#make(draft, start));
    } catch (error) {
      book.unclaim(name, draft.id);
      throw error;
    }
    this.#tell("create", draft);
    if (start && config.Command !== undefined) this.#tell("start", draft);
    return draft;
  }

  /** Starts its command; nothing when it runs. Throws SANDBOX_NOT_FOUND, NO_COMMAND, and why it cannot be started. */
  start(reference: string): Promise<void> {
    return this.#alone(reference, async (record) => {
      if (record.process !== undefined) return;
      needCommand(record);
      this.#timers.cancel(record.id);
      await this.#begin({ ...record, restarts: 0 });
      this.#tell("start", record);
    });
  }

  /** Ends its command, by its signal and after `timeout` seconds by SIGKILL; nothing when it does not run. */
  stop(reference: string, timeout: number | undefined): Promise<void> {
    return this.#alone(reference, async (record) => {
      if (!isActive(record)) return;
      await this.#end(record, timeout);
      this.#tell("stop", record);
    });
  }

  /** {@link stop}, if it runs, and {@link start}. */
  restart(reference: string, timeout: number | undefined): Promise<void> {
    return this.#alone(reference, async (record) => {
      needCommand(record);
      if (isActive(record)) await this.#end(record, timeout, { keepOpen: true });
      await this.#begin({ ...this.#init.book.need(record.id), restarts: 0 });
      this.#tell("restart", record);
    });
  }

  /**
   * Sends its command a signal, also while a stop waits for its end. By SIGKILL or its stop signal a person stops it:
   * it is not started again by itself, also when it waits for that now. Throws SANDBOX_NOT_RUNNING, INVALID_SIGNAL.
   */
  async kill(reference: string, signal: string): Promise<void> {
    const record = this.#init.book.find(reference);
    const stops = isForGood(record, signal);
    const run = this.#runs.get(record.id);
    if (run === undefined) return this.#killNext(record.id, signal, stops);
    run.kill(signal);
    this.#tell("kill", record, { signal });
    const isEnding = this.#ends.has(record.id); // whoever ends it says what comes then
    if (stops && !isEnding) await this.#lock.run(record.id, () => this.#keepStopped(record.id, run));
  }

  /** Removes a sandbox. Throws SANDBOX_RUNNING without `force`. */
  async remove(reference: string, { force }: { readonly force: boolean }): Promise<void> {
    const { book } = this.#init;
    const { id } = book.find(reference);
    if (force) this.#runs.get(id)?.kill("SIGKILL"); // also while a stop waits for its end
    await this.#lock.run(id, async () => {
      const record = book.need(id);
      if (isActive(record) && !force) {
        throw new WeftError(
          "SANDBOX_RUNNING",
          `cannot remove sandbox ${record.name}: it is running: stop it first, or remove it by force`,
        );
      }
      if (isActive(record)) await this.#end(record, 0, { signal: "SIGKILL" });
      if (book.get(id) !== undefined) await this.#drop(record); // else it has removed itself
    });
  }

  /** Removes all of them; goes on past failures, and throws what went wrong. */
  removeAll(): Promise<void> {
    const ids = Array.from(this.#init.book.all(), ({ id }) => id);
    return runAll(
      "remove sandboxes",
      ids.map((id) => () => this.remove(id, { force: true })),
    );
  }

  /**
   * Resolves when its command has ended and is not started again by itself, with its exit code or null when
   * nobody can tell; at once when it does not run.
   */
  async wait(reference: string, signal: AbortSignal): Promise<number | null> {
    let record = this.#init.book.find(reference);
    while (isActive(record)) record = await this.#waiters.next(record.id, signal);
    return record.ending?.code ?? null;
  }

  /**
   * Tells a client where to go beside a sandbox's command; opens one whose command was never begun for a client that is
   * about to do so. It is closed again when none is claimed soon. Throws SANDBOX_NOT_RUNNING.
   */
  enter(reference: string): Promise<{ readonly record: SandboxRecord; readonly place: Place }> {
    return this.#alone(reference, async (record) => {
      refuseEnded(record);
      const place = isOpen(record) ? this.#openings.place(record) : undefined;
      if (place !== undefined) return { record, place };
      const opened = await this.#openings.open(record);
      this.#timers.cancel(record.id);
      this.#timers.set(record.id, claimWithinMs, () => this.#closeUnclaimed(record.id));
      return { record, place: opened };
    });
  }

  /** A client has started the sandbox's command and waits to let it begin. Throws SANDBOX_RUNNING, SANDBOX_NOT_RUNNING. */
  claim(reference: string, identity: ProcessIdentity): Promise<void> {
    return this.#alone(reference, async (record) => {
      needCommand(record);
      if (record.process !== undefined)
        throw new WeftError("SANDBOX_RUNNING", `sandbox ${record.name} is running already`);
      if (this.#openings.place(record) === undefined)
        throw new WeftError("SANDBOX_NOT_RUNNING", `sandbox ${record.name} was not entered, or long ago`);
      const adopted = this.#init.runner.adopt(identity, record, true);
      if (adopted.state === "ended")
        throw new WeftError("COMMAND_ENDED", `the command with pid ${identity.pid} has ended`);
      await this.#recordStart({ ...record, restarts: 0 }, identity, true);
      this.#timers.cancel(record.id);
      this.#follow(record.id, adopted.run);
      this.#tell("start", record);
    });
  }

  /** What the client that started a command tells of its end; resolves when that is recorded. */
  async tellExit(reference: string, identity: ProcessIdentity, status: number): Promise<void> {
    const { book } = this.#init;
    const record = book.find(reference);
    if (record.process?.identity.pid !== identity.pid) return;
    this.#told.tell(record.id, status);
    const signal = AbortSignal.timeout(tellWithinMs);
    await this.wait(record.id, signal).catch(() => {}); // the end itself is noticed by other means
  }

  /** Puts a sandbox on a further network. */
  connect(reference: string, endpoint: EndpointConfig): Promise<void> {
    return this.#alone(reference, async (record) => {
      this.#tell("connect", record, { network: await this.#networks.connect(record, endpoint) });
    });
  }

  /** Takes a sandbox off a network. Throws ENDPOINT_NOT_FOUND when it is not on it, INVALID_OPTION for the host's. */
  disconnect(reference: string, networkReference: string): Promise<void> {
    return this.#alone(reference, async (record) => {
      this.#tell("disconnect", record, {
        network: await this.#networks.disconnect(record, networkReference),
      });
    });
  }

  /** Finds again what an earlier daemon left: commands that run are followed, what has none is closed or started again. */
  async restore(): Promise<void> {
    const { book, controller } = this.#init;
    const inModel = new Map(controller.sandboxes().map((sandbox) => [sandbox.containerId, sandbox]));
    for (const record of [...book.all()]) {
      const sandbox = inModel.get(record.name);
      inModel.delete(record.name);
      if (sandbox !== undefined) this.#openings.found(record.id, sandbox);
      await this.#attempt(`restore sandbox ${record.name}`, () =>
        this.#lock.run(record.id, () => this.#restoreOne(record)),
      );
    }
    // The making of these was cut off, or their removal.
    for (const [name, sandbox] of inModel)
      await this.#attempt(`remove what is left of sandbox ${name}`, () => sandbox.delete());
    for (const { endpoint, network } of this.#networks.unjoined())
      await this.#attempt(`remove endpoint ${endpoint.record().name} of network ${network}`, () =>
        endpoint.delete(),
      );
    this.#init.runner.forgetOthers((id) => book.get(id) !== undefined);
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
    await Promise.all(ends.map((id) => this.#lock.run(id, async () => {}))); // until they have said so
    this.#timers.cancelAll();
    await this.#settler.close();
    this.#runs.clear();
  }

  /** {@link kill} of a sandbox whose command did not run: it is being started now, or waits for that, or nothing is. */
  #killNext(id: Id, signal: string, stops: boolean): Promise<void> {
    return this.#alone(id, async (record) => {
      const run = this.#runs.get(id);
      if (run === undefined && !(stops && record.restarting === true))
        throw new WeftError("SANDBOX_NOT_RUNNING", `cannot kill sandbox ${record.name}: it is not running`);
      run?.kill(signal);
      this.#tell("kill", record, { signal });
      if (stops) await this.#keepStopped(id, run);
    });
  }

  /** A person's signal was to stop a run, which may have ended since: nothing starts the command again by itself. */
  async #keepStopped(id: Id, run: Run | undefined): Promise<void> {
    const record = this.#init.book.get(id);
    if (record === undefined) return; // removed
    if (record.restarting === true) await this.#end(record, 0);
    else if (record.process !== undefined && this.#runs.get(id) === run)
      await this.#keep({ ...record, stopped: true });
  }

  async #make(draft: SandboxRecord, start: boolean): Promise<void> {
    const { book } = this.#init;
    if (draft.config.Command !== undefined && !start) {
      this.#openings.check(draft);
      return book.put(draft);
    }
    await this.#openings.open(draft);
    try {
      if (draft.config.Command === undefined) await book.put(draft);
      else await this.#begin(draft);
    } catch (error) {
      if (book.get(draft.id) !== undefined) book.noteGone(draft);
      await this.#settler.settle(draft.id);
      this.#init.runner.forget(draft);
      throw error;
    }
  }

  /** Opens a sandbox if need be and starts its command; when that fails, it is closed and its record tells why. */
  async #begin(record: SandboxRecord): Promise<void> {
    try {
      await this.#launch(record);
    } catch (error) {
      await this.#failed(record, error);
      throw error;
    }
  }

  async #launch(record: SandboxRecord): Promise<void> {
    const place = await this.#openings.open(record);
    const run = await this.#init.runner.start(record, place, (identity) =>
      this.#recordStart(record, identity, false),
    );
    this.#follow(record.id, run);
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

  #follow(id: Id, run: Run): void {
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
    await this.#lock.run(id, async () => {
      const record = this.#init.book.get(id);
      if (this.#closed || record?.process === undefined || this.#runs.get(id) !== run) return;
      await this.#ended(record, code);
    });
  }

  /** Records the end of a command, and what comes then: another start, or its sandbox is closed. */
  async #ended(record: SandboxRecord, code: number | null): Promise<void> {
    const at = this.#init.clock.now();
    this.#runs.delete(record.id);
    this.#told.forget(record.id);
    this.#tell("die", record, { exitCode: code === null ? "unknown" : String(code) });
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
    this.#again(record.id, delayMs);
  }

  #again(id: Id, delayMs: number): void {
    this.#timers.set(id, delayMs, () =>
      this.#lock.run(id, async () => {
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
        this.#tell("start", record);
      }),
    );
  }

  /** Ends an active command, which a person asked for. */
  async #end(
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
    if (run !== undefined) this.#tell("die", record, { exitCode: String(ending?.code ?? "unknown") });
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

  async #drop(record: SandboxRecord): Promise<void> {
    await this.#init.book.delete(record);
    await this.#dropped(record);
  }

  /** There is no record of it any more. */
  async #dropped(record: SandboxRecord): Promise<void> {
    this.#timers.cancel(record.id);
    await this.#settler.settle(record.id);
    this.#init.runner.forget(record);
    this.#waiters.tell(record);
    this.#tell("destroy", record);
  }

  /** What has happened to a sandbox: it is seen at once, and settled now or as soon as that can be. */
  async #keep(record: SandboxRecord): Promise<void> {
    this.#init.book.note(record);
    await this.#settler.settle(record.id);
  }

  /** Writes what was noted of a sandbox, and closes it unless it has to be open, or is for a client that entered it. */
  async #settle(id: Id): Promise<void> {
    const { book } = this.#init;
    await book.write(id);
    const record = book.get(id);
    const isToBeOpen = record !== undefined && isOpen(record);
    if (!isToBeOpen && !this.#timers.has(id)) await this.#openings.close(id);
  }

  async #closeUnclaimed(id: Id): Promise<void> {
    await this.#lock.run(id, () => this.#settler.settle(id));
  }

  async #restoreOne(record: SandboxRecord): Promise<void> {
    const { name } = record;
    await this.#attempt(`disconnect sandbox ${name}`, () => this.#networks.removeUnanswered(record));
    if (record.process !== undefined) {
      const adopted = this.#init.runner.adopt(record.process.identity, record, record.process.client);
      if (adopted.state === "running") return this.#follow(record.id, adopted.run);
      return this.#ended(record, exitNumber(adopted.status) ?? null);
    }
    if (record.restarting === true) return this.#again(record.id, 0);
    if (record.config.Command === undefined) {
      await this.#openings.open(record);
      return;
    }
    await this.#settler.settle(record.id);
  }

  /** Does one of the things of a start; what fails keeps the others from nothing. */
  async #attempt(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#init.onError(what, error);
    }
  }

  /** Runs `work` with a sandbox that nobody else changes meanwhile. */
  #alone<T>(reference: string, work: (record: SandboxRecord) => Promise<T>): Promise<T> {
    const { id } = this.#init.book.find(reference);
    return this.#lock.run(id, () => work(this.#init.book.need(id)));
  }

  #tell(
    action: SandboxHappening["action"],
    { id, name }: SandboxRecord,
    facts: Readonly<Record<string, string>> = {},
  ): void {
    this.#init.tell({ action, sandbox: { id, name }, facts });
  }
}

/** True while a command runs or is about to be started again. */
function isActive(record: SandboxRecord): boolean {
  return record.process !== undefined || record.restarting === true;
}

/** Whether a signal is a person's word that a command is not to be started again, as its policy would. Throws INVALID_SIGNAL. */
function isForGood({ config }: SandboxRecord, signal: string): boolean {
  const stopping = ["SIGKILL", config.StopSignal].map(parseSignal);
  return stopping.includes(parseSignal(signal)) && config.RestartPolicy.Name !== "no";
}

/** Whether the disk, and nothing else, kept something from being done. */
function isOfStore(error: unknown): boolean {
  return isWeftError(error, "DISK_FULL") || isWeftError(error, "STORE");
}
