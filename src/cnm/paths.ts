import { join } from "node:path";
import { type Id, shortId } from "../core/index.ts";
import type { NetnsRef } from "../kernel/index.ts";

/** Where a controller keeps its things, below its root folder. */
export class Paths {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** The store's folder. */
  get store(): string {
    return join(this.root, "store");
  }

  /** Locked by the controller that uses the root folder. */
  get lock(): string {
    return join(this.root, "lock");
  }

  /** A private tmpfs for what does not outlive the machine's boot. */
  get run(): string {
    return join(this.root, "run");
  }

  get netnsFolder(): string {
    return join(this.run, "netns");
  }

  get fileFolder(): string {
    return join(this.run, "sandboxes");
  }

  /** The bind mount of a sandbox's namespace; the reference's name for it, 12 digits of the id. */
  netns(sandbox: Id): NetnsRef {
    return join(this.netnsFolder, shortId(sandbox));
  }

  /** A file of a sandbox. */
  file(sandbox: Id, name: "hosts" | "resolv.conf" | "hostname"): string {
    return join(this.fileFolder, shortId(sandbox), name);
  }
}
