import type { ProcessIdentity } from "./process-identity.ts";

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

/** Where a command reads from: nowhere, the caller's own stdin, a pipe from the caller, or a FIFO, made when missing. */
export type InputInit =
  | "ignore"
  | "inherit"
  | "pipe"
  /** It never ends for the command, whoever comes and goes at its other end; see {@link openInput}. */
  | { readonly fifo: string };

/**
 * Where a command writes to: nowhere, the caller's own stream, a pipe to the caller (which must read or
 * destroy it, or a command that writes much stands still), or the end of a file, made when missing.
 */
export type OutputInit = "ignore" | "inherit" | "pipe" | { readonly file: string };

/** The three standard streams of a command; each is "ignore" when not given. */
export interface StdioInit {
  /**
   * With "inherit" the command stays in the caller's session, as a terminal wants it; else it gets a session
   * of its own, which no terminal can end. When the caller's stdin is its controlling terminal, the command
   * becomes the terminal's foreground: Ctrl-C reaches it alone, and a shell has job control. The caller is
   * the foreground again when the command has ended.
   */
  readonly stdin?: InputInit;
  readonly stdout?: OutputInit;
  /** Nothing but a file or "ignore" lets a command outlive its caller: a pipe's end would kill it. */
  readonly stderr?: OutputInit;
}

/** A new terminal for a command, which is all of its three streams; see {@link Terminal}. */
export interface TerminalInit {
  /** In characters; 80 and 24 when not given. */
  readonly columns?: number;
  readonly rows?: number;
  /**
   * True to have the terminal outlive the caller: the command keeps its master side open, where
   * {@link Terminal.of} finds it again. The price: whatever the command starts could write to the terminal
   * as if it were typed. While nobody reads from it, a command that prints much stands still.
   */
  readonly kept?: boolean;
}

/** What a command may do beyond or below {@link defaultCapabilities}. Names with or without `CAP_`, in any case, or `ALL`. */
export interface CapabilityInit {
  readonly add?: readonly string[];
  readonly drop?: readonly string[];
}

/** What every command is told, wherever it runs. */
interface CommandBasics {
  /** The program and its arguments. A program without a slash is looked for in the environment's PATH. */
  readonly command: readonly string[];
  /**
   * Variables besides PATH, HOSTNAME, HOME and, with a terminal, TERM, which have Docker's defaults: the usual
   * folders, the host name, the user's home, `xterm`. One that is undefined here is left out. Nothing of the
   * caller's own environment is passed on.
   */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /**
   * Root when not given; else numbers, or text as Docker has it: `NAME|UID[:GROUP|GID]`, looked up in the
   * /etc/passwd and /etc/group that the command sees. Without a group the user has all those of its name.
   */
  readonly user?: CommandUser | string;
  /**
   * Docker's default set when not given; for exec, what the command in the sandbox may do. A user other than
   * root gets none of them by itself, as with Docker: they are what its set-uid programs may do.
   */
  readonly capabilities?: CapabilityInit;
  readonly stdio?: StdioInit;
  /** In place of `stdio`. */
  readonly terminal?: TerminalInit;
  /**
   * Awaited when all is prepared and nothing of the program has run: the place to record the command durably.
   * When it rejects, or this process dies meanwhile, the program never runs.
   */
  readonly beforeStart?: (identity: ProcessIdentity) => Promise<void>;
  /** Gives up the start: it then rejects with ABORTED. Of no effect on a started command. */
  readonly signal?: AbortSignal;
}

/** What to run, and in which sandbox. */
export interface CommandInit extends CommandBasics {
  /** The sandbox's network namespace: `/proc/PID/ns/net` or a bind mount of it. */
  readonly netnsPath: string;
  /** The host name that the command sees; the host's own when not given. */
  readonly hostname?: string;
  /** The NIS domain name that the command sees; the host's own when not given. */
  readonly domainName?: string;
  readonly files: readonly SandboxFile[];
  /**
   * A folder that is the command's `/`, with a /proc, /sys and /dev as containers have them; missing mount
   * points in it are made. The host's own `/` when not given, which protects no file of the host from root.
   */
  readonly rootfs?: string;
  /** True for a root that cannot be written to; /dev, and what tmpfs the command mounts, still can. */
  readonly readOnly?: boolean;
  /** True for all capabilities that weft has, and for /proc, /sys and devices as the host has them. */
  readonly privileged?: boolean;
  /** The folder it starts in; `/` of a rootfs, else the caller's, when not given. */
  readonly cwd?: string;
}

/** What to run beside a command that runs: in all of its namespaces. */
export interface ExecInit extends CommandBasics {
  /** True for all capabilities that weft has. */
  readonly privileged?: boolean;
  /** The folder it starts in; `/` when not given. */
  readonly cwd?: string;
}

/** How a command ended: its exit code, or the signal that ended it; the other is null. Both are when nobody can know. */
export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}
