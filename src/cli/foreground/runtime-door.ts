import type { Readable, Writable } from "node:stream";

/** A process, told from every other, of this boot or another. */
export interface StartedIdentity {
  readonly pid: number;
  /** Field 22 of proc_pid_stat(5). */
  readonly startTicks: number;
  readonly bootId: string;
}

/** How a command ended; both are null when nobody can know. */
export interface CommandEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A terminal that was made for a command. */
export interface CommandTerminal {
  readonly input: Writable;
  readonly output: Readable;
  resize(columns: number, rows: number): void;
  close(): void;
}

/** A command that was started here. */
export interface StartedCommand {
  readonly exited: Promise<CommandEnd>;
  readonly terminal: CommandTerminal | undefined;
  kill(signal: NodeJS.Signals): void;
}

/** What every start is told. */
export interface StartBasics {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly privileged?: boolean;
  readonly cwd?: string;
  readonly stdio?: {
    readonly stdin: "ignore" | "inherit";
    readonly stdout: "inherit";
    readonly stderr: "inherit";
  };
  /** In place of `stdio`: a terminal of its own, of that size in characters. */
  readonly terminal?: { readonly columns: number; readonly rows: number };
  /** Awaited when all is prepared and nothing of the command has run; when it rejects, nothing ever does. */
  readonly beforeStart?: (identity: StartedIdentity) => Promise<void>;
  /** Gives up the start. */
  readonly signal: AbortSignal;
}

/** A sandbox's own command. */
export interface RunStart extends StartBasics {
  readonly netnsPath: string;
  readonly hostname?: string;
  readonly files: readonly { readonly source: string; readonly target: string }[];
  readonly rootfs?: string;
  readonly readOnly?: boolean;
  readonly capabilities?: { readonly add: readonly string[]; readonly drop: readonly string[] };
}

/** What the command line needs of src/runtime: commands with this program's own streams. */
export interface RuntimeDoor {
  readonly Launcher: new () => {
    start(): Promise<void>;
    run(init: RunStart): Promise<StartedCommand>;
    /** Beside a command that runs, in all of its namespaces. */
    exec(beside: StartedIdentity, init: StartBasics): Promise<StartedCommand>;
    close(): Promise<void>;
  };
  readonly Terminal: { of(command: StartedIdentity): CommandTerminal };
  /** The end to write to of the FIFO that a command in the background reads from. */
  readonly openInput: (path: string) => Writable;
  /** An end as a shell numbers it. */
  readonly exitNumber: (end: CommandEnd) => number | undefined;
}

/** Loads the code that starts commands, which few commands of weft need. */
export async function runtimeDoor(): Promise<RuntimeDoor> {
  return await import("../../runtime/index.ts");
}
