/**
 * Which network namespace an object lives in: {@link hostNetns}, or the absolute path of the bind mount
 * that keeps a sandbox's namespace.
 */
export type NetnsRef = string;

/** The namespace that the controller works in, its "host". */
export const hostNetns: NetnsRef = "host";
