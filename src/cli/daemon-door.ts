import { createRequire } from "node:module";
import type { Finding } from "../api/index.ts";

/** Where a daemon keeps its things. */
export interface DaemonFolders {
  /** What outlives a boot: the store. Absolute. */
  readonly root: string;
  /** What does not: the socket, the log. Absolute. */
  readonly run: string;
}

/** How a daemon is to run. */
export interface DaemonOptions extends DaemonFolders {
  /** The configuration's file; the built-in one without. */
  readonly config: string | undefined;
  /** Called once, when the socket answers and all that was stored is there again. */
  readonly onReady: () => void;
  /** Called once, when it was told to end, before anything is closed. */
  readonly onEnding: () => void;
}

/** What a store's check found. */
export interface StoreReport {
  readonly schemaVersion: number;
  /** How many commits there were. */
  readonly revision: number;
  readonly entries: number;
}

/**
 * What the command line needs of src/daemon. Everything works in the network namespace that this process was born
 * in. Whatever is refused is a WeftError.
 */
export interface DaemonDoor {
  /** Runs until SIGTERM, SIGINT or SIGHUP; resolves when all is closed. Throws what keeps it from starting. */
  runDaemon(options: DaemonOptions): Promise<void>;
  /** Throws what is wrong with a configuration. */
  checkConfig(file: string): Promise<void>;
  /** Refuses folders that hold what is not weft's, which a purge would remove. Throws FOLDER_NOT_OWN. */
  refuseOthersFiles(folders: DaemonFolders): void;
  /** Removes everything that weft has made here, and both folders. Throws CONTROLLER_RUNNING while a daemon runs, FOLDER_NOT_OWN. */
  purgeHost(folders: DaemonFolders): Promise<void>;
  /** The doctor's report without a daemon. */
  examineHost(): Promise<readonly Finding[]>;
  /** Puts a backup in the store's place, the former one beside it. Throws CONTROLLER_RUNNING, and STORE for no backup. */
  restoreStore(folders: DaemonFolders, file: string): Promise<void>;
  /** Reads all that is stored; a daemon may run meanwhile. Throws STORE, with what to do, when it is damaged. */
  checkStore(folders: DaemonFolders): Promise<StoreReport>;
}

/** Loads the daemon's code, which no other command needs. */
export async function daemonDoor(): Promise<DaemonDoor> {
  // Its 700 files are read 80 ms sooner by require, one after the other, than by import and its threads. The first
  // releases of Node 22 cannot require ES modules.
  if (process.features.require_module) return createRequire(import.meta.url)("../daemon/index.js");
  return await import("../daemon/index.ts");
}
