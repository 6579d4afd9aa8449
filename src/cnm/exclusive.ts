import { mkdirSync, readFileSync } from "node:fs";
import { WeftError } from "../core/index.ts";
import {
  abstractSocketOwner,
  bindAbstractSocket,
  closeFd,
  isKernelError,
  lockFile,
  writeLock,
} from "../kernel/index.ts";
import type { Paths } from "./paths.ts";

/** The abstract unix socket that says which namespace has a controller; gone with the process. */
const socketName = "weft-controller";

/** What keeps a second controller away. */
export interface Exclusive {
  close(): void;
}

/**
 * Takes the root folder and the host namespace for this process. Throws CONTROLLER_RUNNING, naming the
 * process that has one of them; then nothing is held.
 */
export function takeExclusively(paths: Paths, netnsPath: string): Exclusive {
  mkdirSync(paths.root, { recursive: true, mode: 0o700 });
  const lock = takeRoot(paths);
  try {
    const socket = takeNamespace(netnsPath);
    return {
      close() {
        closeFd(socket);
        closeFd(lock);
      },
    };
  } catch (error) {
    closeFd(lock);
    throw error;
  }
}

/** Runs `work` while no controller uses the root folder. Throws CONTROLLER_RUNNING when one does. */
export async function withRoot<T>(paths: Paths, work: () => Promise<T>): Promise<T> {
  mkdirSync(paths.root, { recursive: true, mode: 0o700 });
  const lock = takeRoot(paths);
  try {
    return await work();
  } finally {
    closeFd(lock);
  }
}

function takeRoot(paths: Paths): number {
  try {
    const fd = lockFile(paths.lock);
    writeLock(fd, process.pid);
    return fd;
  } catch (error) {
    if (!isKernelError(error, "EWOULDBLOCK", "EAGAIN")) throw error;
    const holder = readFileSync(paths.lock, "utf8").trim();
    throw new WeftError(
      "CONTROLLER_RUNNING",
      `another controller (pid ${holder}) uses the root folder ${paths.root}`,
      { cause: error },
    );
  }
}

function takeNamespace(netnsPath: string): number {
  try {
    return bindAbstractSocket(netnsPath, socketName);
  } catch (error) {
    if (!isKernelError(error, "EADDRINUSE")) throw error;
    const holder = abstractSocketOwner(netnsPath, socketName);
    // Every user may bind the name, and only root can end whoever did to keep weft from starting.
    const words =
      holder === undefined || holder.uid === 0
        ? `another controller (pid ${holder?.pid ?? "unknown"}) runs in the host namespace`
        : `process ${holder.pid} of user ${holder.uid}, which is no controller, holds the socket @${socketName} in the host namespace: end it`;
    throw new WeftError("CONTROLLER_RUNNING", words, { cause: error });
  }
}
