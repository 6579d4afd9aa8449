import os from "node:os";
import { Worker } from "node:worker_threads";
import { messageOf, WeftError } from "../core/index.ts";
import type { ExitStatus } from "./command.ts";
import type { StartFailure } from "./init-protocol.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import type { RunRequest, ThreadEvent, ThreadRequest } from "./thread-protocol.ts";

/** A command that runs, and the promise of its end. */
export interface StartedCommand {
  readonly identity: ProcessIdentity;
  readonly exited: Promise<ExitStatus>;
}

/** A command that is being started. */
interface Starting extends PromiseWithResolvers<StartedCommand> {
  /** Awaited before a held command starts. */
  readonly prepared: (identity: ProcessIdentity) => Promise<void>;
  /** Why it must not start: what `prepared` rejected with. */
  refusal?: { readonly error: unknown };
}

/** The main thread's end of the launcher thread: owns the thread, and knows which commands it runs. */
export class LauncherLink {
  readonly #worker: Worker;
  readonly #starting = new Map<number, Starting>();
  readonly #running = new Map<number, PromiseWithResolvers<ExitStatus>>();
  /** Those for whose end the program should stay. */
  readonly #awaited = new Set<number>();
  readonly #ready = promiseWithResolvers<void>();
  readonly #gone = promiseWithResolvers<void>();
  #death: WeftError | undefined;
  /** The program stays until the thread has ended. */
  #staying = false;

  constructor() {
    const file = new URL("./launcher-thread.js", import.meta.url);
    this.#worker = new Worker(file, { name: "weft-launcher", execArgv: [] });
    this.#worker.on("message", (event: ThreadEvent) => this.#receive(event));
    this.#worker.on("error", (error) => this.#die(messageOf(error)));
    this.#worker.on("exit", () => this.#die("it has ended"));
  }

  /** Resolves when the thread takes requests. Rejects with LAUNCH. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Has so many processes wait for a command to become. */
  keepSpares(count: number): void {
    this.#send({ kind: "keepSpares", count });
  }

  /**
   * Has a command started; a held one when `prepared`, which is told who it is, has resolved. Rejects with what
   * that rejects with, and with the codes of Launcher.run.
   */
  run(request: RunRequest, prepared: Starting["prepared"]): Promise<StartedCommand> {
    if (this.#death !== undefined) return Promise.reject(this.#death);
    const starting: Starting = { ...promiseWithResolvers<StartedCommand>(), prepared };
    this.#starting.set(request.id, starting);
    this.#hold(request.id);
    this.#send(request);
    return starting.promise;
  }

  /** Has a signal, by its number, sent to a command, if it has not ended. */
  signal(id: number, signal: number): void {
    this.#send({ kind: "signal", id, signal });
  }

  /** Lets the program end although this command runs. */
  unref(id: number): void {
    this.#awaited.delete(id);
    this.#letGo();
  }

  /** Ends the thread, at once or, when commands run, after the last of them; waits only for the former. */
  async close(): Promise<void> {
    // Ready first: a thread that is no longer waited for when it becomes so would not be waited for at its end either.
    await Promise.allSettled([this.ready, ...[...this.#starting.values()].map(({ promise }) => promise)]);
    this.#send({ kind: "close" });
    if (this.#running.size > 0) {
      for (const id of this.#running.keys()) this.unref(id);
      return;
    }
    this.#staying = true;
    this.#worker.ref();
    await this.#gone.promise;
  }

  /** Lets the program end unless it waits for a command or for the thread, which may be closed before it is ready. */
  #letGo(): void {
    if (!this.#staying && this.#awaited.size === 0) this.#worker.unref();
  }

  #send(request: ThreadRequest): void {
    this.#worker.postMessage(request);
  }

  #hold(id: number): void {
    this.#awaited.add(id);
    this.#worker.ref();
  }

  #receive(event: ThreadEvent): void {
    switch (event.kind) {
      case "ready":
        this.#letGo();
        this.#ready.resolve();
        break;
      case "prepared":
        void this.#proceed(event.id, event.identity);
        break;
      case "started":
        this.#noteStart(event.id, event.identity);
        break;
      case "failed":
        this.#noteFailure(event.id, event.failure);
        break;
      case "exited":
        this.#running.get(event.id)?.resolve(event.status);
        this.#running.delete(event.id);
        this.unref(event.id);
        break;
    }
  }

  async #proceed(id: number, identity: ProcessIdentity): Promise<void> {
    const starting = this.#starting.get(id);
    if (starting === undefined) return;
    try {
      await starting.prepared(identity);
      this.#send({ kind: "proceed", id });
    } catch (error) {
      starting.refusal = { error };
      this.signal(id, os.constants.signals.SIGKILL);
    }
  }

  #noteFailure(id: number, failure: StartFailure): void {
    const starting = this.#starting.get(id);
    const refusal = starting?.refusal;
    starting?.reject(refusal === undefined ? errorOf(failure) : refusal.error);
    this.#starting.delete(id);
    this.unref(id);
  }

  #noteStart(id: number, identity: ProcessIdentity): void {
    const exit = promiseWithResolvers<ExitStatus>();
    this.#running.set(id, exit);
    this.#starting.get(id)?.resolve({ identity, exited: exit.promise });
    this.#starting.delete(id);
  }

  /** After the thread's end nobody hears of a command any more. */
  #die(why: string): void {
    const death = new WeftError("LAUNCH", `the launcher thread is gone: ${why}`);
    this.#death ??= death;
    for (const { reject } of [...this.#starting.values(), ...this.#running.values()]) reject(death);
    this.#starting.clear();
    this.#running.clear();
    this.#ready.reject(death);
    this.#gone.resolve();
  }
}

function errorOf({ code, message, details }: StartFailure): WeftError {
  return new WeftError(code, message, { details });
}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** Promise.withResolvers, which Node 20 lacks; nobody has to listen for a rejection. */
function promiseWithResolvers<T>(): PromiseWithResolvers<T> {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}
