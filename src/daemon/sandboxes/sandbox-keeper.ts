import type { EndpointConfig, SandboxCreate } from "../../api/index.ts";
import { type Controller, checkName } from "../../cnm/index.ts";
import { type Clock, type Id, KeyedLock, newId, type Random, runAll, WeftError } from "../../core/index.ts";
import { exitNumber, type ProcessIdentity, parseSignal } from "../../runtime/index.ts";
import { CommandLives } from "./command-lives.ts";
import type { CommandRunner, Place } from "./command-runner.ts";
import { checkCommand } from "./launched-runner.ts";
import { madeUpName } from "./made-up-name.ts";
import { initialNetworks, parseNetworkMode } from "./model-sandbox.ts";
import { Openings } from "./openings.ts";
import type { SandboxBook } from "./sandbox-book.ts";
import type { SandboxHappening } from "./sandbox-happening.ts";
import { SandboxNetworks } from "./sandbox-networks.ts";
import { isOpen, type SandboxRecord } from "./sandbox-record.ts";
import { checkTogether, needCommand, refuseEnded } from "./sandbox-refusals.ts";
import { tellWithinMs } from "./told-ends.ts";

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

/**
 * The sandboxes of a daemon, and what people ask to be done with them. What is done to one sandbox is done one after
 * the other.
 */
export class SandboxKeeper {
  readonly #init: SandboxKeeperInit;
  readonly #openings: Openings;
  readonly #networks: SandboxNetworks;
  readonly #lock = new KeyedLock();
  readonly #lives: CommandLives;

  constructor(init: SandboxKeeperInit) {
    const { controller, book, runner, clock, onError } = init;
    this.#init = init;
    this.#openings = new Openings(controller, book);
    this.#networks = new SandboxNetworks(controller, book, this.#openings);
    this.#lives = new CommandLives({
      book,
      openings: this.#openings,
      runner,
      clock,
      lock: this.#lock,
      tell: (action, record, facts) => this.#tell(action, record, facts),
      onError,
    });
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
      await this.#lives.begin({ ...record, restarts: 0 });
      this.#tell("start", record);
    });
  }

  /** Ends its command, by its signal and after `timeout` seconds by SIGKILL; nothing when it does not run. */
  stop(reference: string, timeout: number | undefined): Promise<void> {
    return this.#alone(reference, async (record) => {
      if (!isActive(record)) return;
      await this.#lives.end(record, timeout);
      this.#tell("stop", record);
    });
  }

  /** {@link stop}, if it runs, and {@link start}. */
  restart(reference: string, timeout: number | undefined): Promise<void> {
    return this.#alone(reference, async (record) => {
      needCommand(record);
      if (isActive(record)) await this.#lives.end(record, timeout, { keepOpen: true });
      await this.#lives.begin({ ...this.#init.book.need(record.id), restarts: 0 });
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
    const run = this.#lives.run(record.id);
    if (run === undefined) return this.#killNext(record.id, signal, stops);
    run.kill(signal);
    this.#tell("kill", record, { signal });
    const isEnding = this.#lives.isEnding(record.id); // whoever ends it says what comes then
    if (stops && !isEnding) await this.#lock.run(record.id, () => this.#lives.keepStopped(record.id, run));
  }

  /** Removes a sandbox. Throws SANDBOX_RUNNING without `force`. */
  async remove(reference: string, { force }: { readonly force: boolean }): Promise<void> {
    const { book } = this.#init;
    const { id } = book.find(reference);
    if (force) this.#lives.run(id)?.kill("SIGKILL"); // also while a stop waits for its end
    await this.#lock.run(id, async () => {
      const record = book.need(id);
      if (isActive(record) && !force) {
        throw new WeftError(
          "SANDBOX_RUNNING",
          `cannot remove sandbox ${record.name}: it is running: stop it first, or remove it by force`,
        );
      }
      if (isActive(record)) await this.#lives.end(record, 0, { signal: "SIGKILL" });
      if (book.get(id) !== undefined) await this.#lives.drop(record); // else it has removed itself
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
    while (isActive(record)) record = await this.#lives.next(record.id, signal);
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
      this.#lives.expectClaim(record.id);
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
      await this.#lives.claimed({ ...record, restarts: 0 }, identity, adopted.run);
      this.#tell("start", record);
    });
  }

  /** What the client that started a command tells of its end; resolves when that is recorded. */
  async tellExit(reference: string, identity: ProcessIdentity, status: number): Promise<void> {
    const { book } = this.#init;
    const record = book.find(reference);
    if (record.process?.identity.pid !== identity.pid) return;
    this.#lives.hear(record.id, status);
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
    this.#lives.giveUp();
  }

  /** Follows nothing any more; commands run on. */
  close(): Promise<void> {
    return this.#lives.close();
  }

  /** {@link kill} of a sandbox whose command did not run: it is being started now, or waits for that, or nothing is. */
  #killNext(id: Id, signal: string, stops: boolean): Promise<void> {
    return this.#alone(id, async (record) => {
      const run = this.#lives.run(id);
      if (run === undefined && !(stops && record.restarting === true))
        throw new WeftError("SANDBOX_NOT_RUNNING", `cannot kill sandbox ${record.name}: it is not running`);
      run?.kill(signal);
      this.#tell("kill", record, { signal });
      if (stops) await this.#lives.keepStopped(id, run);
    });
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
      else await this.#lives.begin(draft);
    } catch (error) {
      if (book.get(draft.id) !== undefined) book.noteGone(draft);
      await this.#lives.settle(draft.id);
      this.#init.runner.forget(draft);
      throw error;
    }
  }

  async #restoreOne(record: SandboxRecord): Promise<void> {
    const { name } = record;
    await this.#attempt(`disconnect sandbox ${name}`, () => this.#networks.removeUnanswered(record));
    if (record.process !== undefined) {
      const adopted = this.#init.runner.adopt(record.process.identity, record, record.process.client);
      if (adopted.state === "running") return this.#lives.follow(record.id, adopted.run);
      return this.#lives.ended(record, exitNumber(adopted.status) ?? null);
    }
    if (record.restarting === true) return this.#lives.again(record.id, 0);
    if (record.config.Command === undefined) {
      await this.#openings.open(record);
      return;
    }
    await this.#lives.settle(record.id);
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
