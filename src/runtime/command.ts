/** A file of the sandbox that its commands see in place of one of the host's. */
export interface SandboxFile {
  /**
   * The sandbox's file. A command goes on seeing the file that was here when it started, so write it in
   * place; one renamed over it would not be seen.
   */
  readonly source: string;
  /** The path that shows it, `/etc/resolv.conf`; need not exist on the host. */
  readonly target: string;
}

/** Who a command runs as: numbers, with no groups but `gid`. */
export interface CommandUser {
  readonly uid: number;
  readonly gid: number;
}

/** Where a command reads from: nowhere, the caller's own stdin, or a pipe from the caller. */
export type InputInit = "ignore" | "inherit" | "pipe";

/**
 * Where a command writes to: nowhere, the caller's own stream, a pipe to the caller (which must read or
 * destroy it, or a command that writes much stands still), or the end of a file, made when missing.
 */
export type OutputInit = "ignore" | "inherit" | "pipe" | { readonly file: string };

/** The three standard streams of a command; each is "ignore" when not given. */
export interface StdioInit {
  /**
   * With "inherit" the command stays in the caller's session and process group, as a terminal wants it
   * (Ctrl-C reaches both); else it gets a session of its own, which no terminal can end.
   */
  readonly stdin?: InputInit;
  readonly stdout?: OutputInit;
  /** Nothing but a file or "ignore" lets a command outlive its caller: a pipe's end would kill it. */
  readonly stderr?: OutputInit;
}

/** What to run, and in which sandbox. */
export interface CommandInit {
  /** The sandbox's network namespace: `/proc/PID/ns/net` or a bind mount of it. */
  readonly netnsPath: string;
  /** The host name that the command sees; the host's own when not given. */
  readonly hostname?: string;
  /** The NIS domain name that the command sees; the host's own when not given. */
  readonly domainName?: string;
  readonly files: readonly SandboxFile[];
  /** The program and its arguments. A program without a slash is looked for in the environment's PATH. */
  readonly command: readonly string[];
  /** The whole environment of the command; the caller's own when not given. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** The folder it starts in; the caller's when not given. */
  readonly cwd?: string;
  /** Root when not given. */
  readonly user?: CommandUser;
  readonly stdio?: StdioInit;
  /** Gives up the start: {@link Launcher.run} then rejects with ABORTED. Of no effect on a started command. */
  readonly signal?: AbortSignal;
}

/** How a command ended: its exit code, or the signal that ended it; the other is null. */
export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}
