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
import { endpointOptions, initialNetworks, parseNetworkMode } from "./model-sandbox.ts";
import { Openings } from "./openings.ts";
import { longerDelay, restartDelay } from "./restart-delay.ts";
import type { SandboxBook } from "./sandbox-book.ts";
import { type Ending, isOpen, type SandboxRecord } from "./sandbox-record.ts";
import { Settler } from "./settler.ts";

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
/** How long the client that started a command is waited for to tell how it ended, ms. */
const tellWithinMs = 1_000;

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
  readonly #lock = new KeyedLock();
  readonly #settler: Settler;
  readonly #runs = new Map<Id, Run>();
  /** Sandboxes whose commands are about to be started again, or to be claimed; cancelled by aborting. */
  readonly #waits = new Map<Id, AbortController>();
  /** Those who wait until a command has ended for good. */
  readonly #waiters = new Map<Id, Set<(record: SandboxRecord) => void>>();
  /** Sandboxes whose commands are being ended. */
  readonly #ends = new Set<Id>();
  /** What clients told of the ends of their commands. */
  readonly #told = new Map<Id, { readonly status: number | undefined; readonly hear: () => void }>();
  /** Fires when the ends of commands are waited for no longer. */
  readonly #givenUp = new AbortController();
  #closed = false;

  constructor(init: SandboxKeeperInit) {
    this.#init = init;
    this.#openings = new Openings(init.controller, init.book);
    setMaxListeners(0, this.#givenUp.signal); // one a command that is being ended
    const { clock, onError } = init;
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
      this.#needCommand(record);
      this.#cancelWait(record.id);
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
      this.#needCommand(record);
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
    while (isActive(record)) record = await this.#change(record.id, signal);
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
      this.#cancelWait(record.id);
      this.#later(record.id, claimWithinMs, () => this.#closeUnclaimed(record.id));
      return { record, place: opened };
    });
  }

  /** A client has started the sandbox's command and waits to let it begin. Throws SANDBOX_RUNNING, SANDBOX_NOT_RUNNING. */
  claim(reference: string, identity: ProcessIdentity): Promise<void> {
    return this.#alone(reference, async (record) => {
      this.#needCommand(record);
      if (record.process !== undefined)
        throw new WeftError("SANDBOX_RUNNING", `sandbox ${record.name} is running already`);
      if (this.#openings.place(record) === undefined)
        throw new WeftError("SANDBOX_NOT_RUNNING", `sandbox ${record.name} was not entered, or long ago`);
      const adopted = this.#init.runner.adopt(identity, record, true);
      if (adopted.state === "ended")
        throw new WeftError("COMMAND_ENDED", `the command with pid ${identity.pid} has ended`);
      await this.#recordStart({ ...record, restarts: 0 }, identity, true);
      this.#cancelWait(record.id);
      this.#follow(record.id, adopted.run);
      this.#tell("start", record);
    });
  }

  /** What the client that started a command tells of its end; resolves when that is recorded. */
  async tellExit(reference: string, identity: ProcessIdentity, status: number): Promise<void> {
    const { book } = this.#init;
    const record = book.find(reference);
    if (record.process?.identity.pid !== identity.pid) return;
    const told = this.#told.get(record.id);
    this.#told.set(record.id, { status, hear: () => {} });
    told?.hear();
    const signal = AbortSignal.timeout(tellWithinMs);
    await this.wait(record.id, signal).catch(() => {}); // the end itself is noticed by other means
  }

  /** Puts a sandbox on a further network. */
  connect(reference: string, endpoint: EndpointConfig): Promise<void> {
    return this.#alone(reference, async (record) => {
      const network = this.#init.controller.network(endpoint.Network);
      refuseSharedNamespace(record);
      const sandbox = this.#openings.get(record.id);
      const already = record.networks.some((one) => this.#isNetwork(one.Network, network.id));
      if (already) {
        throw new WeftError(
          "ENDPOINT_EXISTS",
          `endpoint with name ${record.name} already exists in network ${network.name}`,
        );
      }
      const networks = [...record.networks, { ...endpoint, Network: network.name }];
      if (sandbox === undefined) this.#openings.check({ ...record, networks });
      const joined = await sandbox?.connect(network, endpointOptions(endpoint));
      try {
        await this.#init.book.put({ ...this.#init.book.need(record.id), networks });
      } catch (error) {
        await joined?.delete({ force: true });
        throw error;
      }
      this.#tell("connect", record, { network: network.name });
    });
  }

  /** Takes a sandbox off a network. Throws ENDPOINT_NOT_FOUND when it is not on it, INVALID_OPTION for the host's. */
  disconnect(reference: string, networkReference: string): Promise<void> {
    return this.#alone(reference, async (record) => {
      const network = this.#init.controller.network(networkReference);
      const networks = record.networks.filter((one) => !this.#isNetwork(one.Network, network.id));
      if (networks.length === record.networks.length) {
        throw new WeftError(
          "ENDPOINT_NOT_FOUND",
          `sandbox ${record.name} is not connected to network ${network.name}`,
        );
      }
      if (record.config.NetworkMode === "host") {
        throw new WeftError(
          "INVALID_OPTION",
          "cannot disconnect container from host network - container was created in host network mode",
        );
      }
      await this.#init.book.put({ ...record, networks });
      const endpoints = this.#openings.get(record.id)?.endpoints() ?? [];
      for (const endpoint of endpoints)
        if (endpoint.networkId === network.id) await endpoint.delete({ force: true });
      this.#tell("disconnect", record, { network: network.name });
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
    await this.#removeUnjoined();
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
    const ends = [...this.#ends];
    this.giveUp();
    await Promise.all(ends.map((id) => this.#lock.run(id, async () => {}))); // until they have said so
    for (const id of [...this.#waits.keys()]) this.#cancelWait(id);
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
    this.#changed(failed);
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
    const code = await this.#codeOf(id, status);
    await this.#lock.run(id, async () => {
      const record = this.#init.book.get(id);
      if (this.#closed || record?.process === undefined || this.#runs.get(id) !== run) return;
      await this.#ended(record, code);
    });
  }

  /** The exit code. Of a client's command its client knows best: also that it could not be started. */
  async #codeOf(id: Id, status: ExitStatus): Promise<number | null> {
    const known = exitNumber(status) ?? null;
    if (this.#init.book.get(id)?.process?.client !== true) return known;
    if (!this.#told.has(id)) {
      const patience = new AbortController();
      const heard = new Promise<void>((resolve) => this.#told.set(id, { status: undefined, hear: resolve }));
      await Promise.race([heard, this.#init.clock.sleep(tellWithinMs, patience.signal).catch(() => {})]);
      patience.abort();
    }
    const told = this.#told.get(id)?.status;
    this.#told.delete(id);
    return told ?? known;
  }

  /** Records the end of a command, and what comes then: another start, or its sandbox is closed. */
  async #ended(record: SandboxRecord, code: number | null): Promise<void> {
    const at = this.#init.clock.now();
    this.#runs.delete(record.id);
    this.#told.delete(record.id);
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
    this.#changed(waiting);
    this.#again(record.id, delayMs);
  }

  #again(id: Id, delayMs: number): void {
    this.#later(id, delayMs, () =>
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
    this.#cancelWait(id);
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
    this.#changed(ended);
  }

  async #drop(record: SandboxRecord): Promise<void> {
    await this.#init.book.delete(record);
    await this.#dropped(record);
  }

  /** There is no record of it any more. */
  async #dropped(record: SandboxRecord): Promise<void> {
    this.#cancelWait(record.id);
    await this.#settler.settle(record.id);
    this.#init.runner.forget(record);
    this.#changed(record);
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
    if (!isToBeOpen && !this.#waits.has(id)) await this.#openings.close(id);
  }

  async #closeUnclaimed(id: Id): Promise<void> {
    await this.#lock.run(id, () => this.#settler.settle(id));
  }

  async #restoreOne(record: SandboxRecord): Promise<void> {
    const { name } = record;
    await this.#attempt(`disconnect sandbox ${name}`, () => this.#removeUnanswered(record));
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

  /** Endpoints that had left their sandboxes, and were about to be deleted: nobody would know of them any more. */
  async #removeUnjoined(): Promise<void> {
    for (const network of this.#init.controller.networks()) {
      for (const endpoint of network.endpoints()) {
        const { join, name } = endpoint.record();
        if (join !== undefined && join.leaving !== true) continue;
        await this.#attempt(`remove endpoint ${name} of network ${network.name}`, () => endpoint.delete());
      }
    }
  }

  /** Does one of the things of a start; what fails keeps the others from nothing. */
  async #attempt(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#init.onError(what, error);
    }
  }

  /** Endpoints that the record does not know: their connecting was cut off, or their disconnecting. */
  async #removeUnanswered(record: SandboxRecord): Promise<void> {
    for (const endpoint of this.#openings.get(record.id)?.endpoints() ?? []) {
      if (record.networks.some((one) => this.#isNetwork(one.Network, endpoint.networkId))) continue;
      await endpoint.delete({ force: true });
    }
  }

  #isNetwork(reference: string, id: Id): boolean {
    try {
      return this.#init.controller.network(reference).id === id;
    } catch {
      return false; // it was removed while the sandbox was closed
    }
  }

  #needCommand({ config, name }: SandboxRecord): void {
    if (config.Command === undefined)
      throw new WeftError("NO_COMMAND", `sandbox ${name} has no command: it is there for others to use`);
  }

  /** Runs `work` with a sandbox that nobody else changes meanwhile. */
  #alone<T>(reference: string, work: (record: SandboxRecord) => Promise<T>): Promise<T> {
    const { id } = this.#init.book.find(reference);
    return this.#lock.run(id, () => work(this.#init.book.need(id)));
  }

  #later(id: Id, delayMs: number, work: () => Promise<void>): void {
    this.#cancelWait(id);
    if (this.#closed) return;
    const wait = new AbortController();
    this.#waits.set(id, wait);
    this.#init.clock.sleep(delayMs, wait.signal).then(
      async () => {
        if (this.#waits.get(id) === wait) this.#waits.delete(id);
        await work().catch((error: unknown) => this.#init.onError("start a command again", error));
      },
      () => {}, // cancelled
    );
  }

  #cancelWait(id: Id): void {
    this.#waits.get(id)?.abort();
    this.#waits.delete(id);
  }

  /** The record as it is when its command has begun or ended next, also if it is removed then. */
  #change(id: Id, signal: AbortSignal): Promise<SandboxRecord> {
    return new Promise((resolve, reject) => {
      const waiters = this.#waiters.get(id) ?? new Set();
      this.#waiters.set(id, waiters);
      const forget = () => {
        waiters.delete(done);
        if (waiters.size === 0) this.#waiters.delete(id);
        signal.removeEventListener("abort", aborted);
      };
      const done = (record: SandboxRecord) => {
        forget();
        resolve(record);
      };
      const aborted = () => {
        forget();
        reject(signal.reason);
      };
      waiters.add(done);
      if (signal.aborted) return aborted();
      signal.addEventListener("abort", aborted, { once: true });
    });
  }

  #changed(record: SandboxRecord): void {
    for (const done of [...(this.#waiters.get(record.id) ?? [])]) done(record);
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

function refuseSharedNamespace({ config }: SandboxRecord): void {
  const { mode } = parseNetworkMode(config.NetworkMode);
  if (mode !== "shared") return;
  throw new WeftError(
    "INVALID_OPTION",
    "container sharing network namespace with another container or host cannot be connected to any other network",
  );
}

/** Refuses to enter a sandbox whose command has ended, which would take its addresses and ports again; in Docker's words. */
function refuseEnded({ name, process, restarting, ending }: SandboxRecord): void {
  if (process !== undefined || (ending === undefined && restarting !== true)) return;
  const words = restarting === true ? "is restarting, wait until it is running" : "is not running";
  throw new WeftError("SANDBOX_NOT_RUNNING", `sandbox ${name} ${words}`);
}

/** Refuses what does not go together. */
function checkTogether(config: SandboxCreate): void {
  const { NetworkMode, Networks, Netns, Command, AutoRemove, RestartPolicy } = config;
  const words = [
    NetworkMode !== "" && Networks.length > 0 && `network mode ${NetworkMode} goes with no other network`,
    NetworkMode !== "" && Netns !== "" && "a sandbox in a namespace given by path takes no network mode",
    parseNetworkMode(NetworkMode).mode === "shared" && refusalOfShared(config),
    AutoRemove && Command === undefined && "a sandbox without a command has no end at which to be removed",
    AutoRemove &&
      RestartPolicy.Name !== "no" &&
      "a sandbox that is removed when its command ends is not restarted",
    RestartPolicy.MaximumRetryCount > 0 &&
      RestartPolicy.Name !== "on-failure" &&
      `maximum retry count cannot be used with restart policy '${RestartPolicy.Name}'`,
  ].find((one) => one !== false && one !== undefined);
  if (typeof words === "string") throw new WeftError("INVALID_OPTION", words);
}

/** Why a sandbox cannot live in another's namespace: what it asks for is the other's, in Docker's words; undefined when it can. */
function refusalOfShared({
  Hostname,
  Dns,
  DnsSearch,
  DnsOptions,
  ExtraHosts,
  Ports,
  PublishAllPorts,
  ExposedPorts,
  Sysctls,
}: SandboxCreate): string | undefined {
  if (Hostname !== "") return "conflicting options: hostname and the network mode";
  if (Dns.length + DnsSearch.length + DnsOptions.length > 0)
    return "conflicting options: dns and the network mode";
  if (ExtraHosts.length > 0) return "conflicting options: custom host-to-IP mapping and the network mode";
  if (Ports.length > 0 || PublishAllPorts)
    return "conflicting options: port publishing and the container type network mode";
  if (ExposedPorts.length > 0)
    return "conflicting options: port exposing and the container type network mode";
  const [sysctl] = Object.keys(Sysctls);
  return sysctl === undefined
    ? undefined
    : `sysctl ${JSON.stringify(sysctl)} not allowed in the network namespace of another sandbox`;
}
