import { type FSWatcher, realpathSync, watch } from "node:fs";
import { dirname } from "node:path";

/** How long it is waited for further changes before the file is read, ms: many write it in several steps. */
const quietMs = 50;

/** What a follower works with. */
export interface ResolvConfFollowerInit {
  /** The files that the host's name servers may stand in. */
  readonly paths: readonly string[];
  readonly read: () => string;
  readonly listener: (text: string) => void;
}

/**
 * Tells when the host's resolv.conf says something else. The folders are watched, for most programs
 * replace the file, and that of a link's target too. It does not keep the process alive.
 */
export class ResolvConfFollower {
  readonly #init: ResolvConfFollowerInit;
  #watchers = new Map<string, FSWatcher>();
  #timer: NodeJS.Timeout | undefined;
  #text = "";

  constructor(init: ResolvConfFollowerInit) {
    this.#init = init;
    this.#watchFolders();
    this.#text = this.#readOrKeep();
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #watchFolders(): void {
    const folders = new Set(this.#init.paths.flatMap((path) => [dirname(path), ...realFolder(path)]));
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#watch(folder);
  }

  #watch(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#touched());
      watcher.on("error", () => this.#watchers.delete(folder)); // the folder is gone
      this.#watchers.set(folder, watcher);
    } catch {
      // There is no such folder on this host.
    }
  }

  #touched(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), quietMs).unref();
  }

  #look(): void {
    this.#watchFolders(); // the file may be a link to somewhere else now
    const text = this.#readOrKeep();
    if (text === this.#text) return;
    this.#text = text;
    this.#init.listener(text);
  }

  /** What cannot be read, as a link that leads to itself, says nothing new. */
  #readOrKeep(): string {
    try {
      return this.#init.read();
    } catch {
      return this.#text;
    }
  }
}

function realFolder(path: string): readonly string[] {
  try {
    return [dirname(realpathSync(path))];
  } catch {
    return []; // there is no such file now
  }
}
