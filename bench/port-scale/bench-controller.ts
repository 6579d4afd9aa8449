import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Controller } from "../../src/index.ts";
import { unmountPrivateFolder } from "../../src/kernel/index.ts";

/** A controller for the namespace at `netns` that can be closed and opened again, on a disk. */
export class BenchController {
  readonly #folder = realpathSync(mkdtempSync(join(tmpdir(), "weft-bench-")));
  readonly #netns: string;
  #controller: Controller | undefined;

  constructor(netns: string) {
    this.#netns = netns;
  }

  /** Opens it, for the first time or after {@link close}. */
  async open(): Promise<Controller> {
    this.#controller = await Controller.open({
      root: join(this.#folder, "root"),
      hostNetns: this.#netns,
      defaultAddressPools: [{ base: "10.0.0.0/8", size: 16 }],
    });
    return this.#controller;
  }

  async close(): Promise<void> {
    await this.#controller?.close();
  }

  /** Deletes everything that it made. */
  async end(): Promise<void> {
    try {
      await this.#controller?.purge();
    } finally {
      unmountPrivateFolder(join(this.#folder, "root", "run"));
      rmSync(this.#folder, { recursive: true, force: true });
    }
  }
}
