import { WeftError } from "../core/index.ts";

/** Holds the place of the daemon, which has not been merged yet. */
function missing(): never {
  throw new WeftError("INTERNAL", "this build of weft has no daemon");
}

export const runDaemon: (options: unknown) => Promise<void> = async () => missing();
export const checkConfig: (file: string) => Promise<void> = async () => missing();
export const purgeHost: (folders: unknown) => Promise<void> = async () => missing();
export const examineHost: (folders: unknown) => Promise<never> = async () => missing();
export const restoreStore: (folders: unknown, file: string) => Promise<void> = async () => missing();
export const checkStore: (folders: unknown) => Promise<never> = async () => missing();
