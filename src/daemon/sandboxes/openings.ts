import type { Controller, Sandbox as ModelSandbox } from "../../cnm/index.ts";
import { type Id, isWeftError, WeftError } from "../../core/index.ts";
import type { Place } from "./command-runner.ts";
import { modelSandbox, parseNetworkMode } from "./model-sandbox.ts";
import type { SandboxBook } from "./sandbox-book.ts";
import type { SandboxRecord } from "./sandbox-record.ts";

/** The model's part of the daemon's sandboxes: namespaces, files and endpoints of those that are open. */
export class Openings {
  readonly #controller: Controller;
  readonly #book: SandboxBook;
  readonly #open = new Map<Id, ModelSandbox>();

  constructor(controller: Controller, book: SandboxBook) {
    this.#controller = controller;
    this.#book = book;
  }

  /** The model's sandbox; undefined when it is closed, or lives in another's namespace. */
  get(id: Id): ModelSandbox | undefined {
    return this.#open.get(id);
  }

  /** Notes what the model has since an earlier daemon. */
  found(id: Id, sandbox: ModelSandbox): void {
    this.#open.set(id, sandbox);
  }

  /** Opens a sandbox if it is not open, and tells where its commands run. Throws what the model refuses; then it is as closed as before. */
  async open(record: SandboxRecord): Promise<Place> {
    const network = parseNetworkMode(record.config.NetworkMode);
    if (network.mode === "shared") return this.#placeOf(this.#shared(network.sandbox));
    let sandbox = this.#open.get(record.id);
    if (sandbox === undefined) {
      sandbox = await this.#controller.createSandbox(record.name, modelSandbox(this.#controller, record));
      this.#open.set(record.id, sandbox);
    }
    return this.#placeOf(sandbox);
  }

  /** Refuses what opening a sandbox would refuse for what was asked, as far as that can be said before. */
  check(record: SandboxRecord): void {
    const network = parseNetworkMode(record.config.NetworkMode);
    if (network.mode === "shared") this.#book.find(network.sandbox);
    else this.#controller.checkSandbox(record.name, modelSandbox(this.#controller, record));
  }

  /** Where an open sandbox's commands run; undefined when it is closed. */
  place(record: SandboxRecord): Place | undefined {
    const network = parseNetworkMode(record.config.NetworkMode);
    if (network.mode === "shared") return this.#placeOf(this.#shared(network.sandbox));
    const sandbox = this.#open.get(record.id);
    return sandbox === undefined ? undefined : this.#placeOf(sandbox);
  }

  /**
   * Closes a sandbox: its addresses, names and ports are free again. No harm when it is closed already. Throws
   * DISK_FULL, STORE; then it is as open as before.
   */
  async close(id: Id): Promise<void> {
    const sandbox = this.#open.get(id);
    if (sandbox === undefined) return;
    this.#open.delete(id);
    try {
      await sandbox.delete();
    } catch (error) {
      if (!isWeftError(error, "SANDBOX_NOT_FOUND")) this.#open.set(id, sandbox);
      throw error;
    }
  }

  #shared(reference: string): ModelSandbox {
    const record = this.#book.find(reference);
    const sandbox = this.#open.get(record.id);
    if (sandbox !== undefined) return sandbox;
    throw new WeftError(
      "SANDBOX_NOT_RUNNING",
      `cannot join the network namespace of sandbox ${record.name}: it is not running`,
    );
  }

  #placeOf({ key, files }: ModelSandbox): Place {
    return { netnsPath: key, files };
  }
}
