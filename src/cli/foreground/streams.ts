import { ReadStream } from "node:tty";
import type { Context } from "../context.ts";
import { ExitError } from "../failures.ts";
import type { CommandTerminal, StartBasics } from "./runtime-door.ts";

/** What was asked for of a command's streams. */
export interface StreamWishes {
  readonly interactive: boolean;
  readonly tty: boolean;
}

/** How a command is connected to this program: it has this program's own streams, or a terminal made for it. */
export type Streams = Pick<StartBasics, "stdio" | "terminal"> & {
  readonly environment: Readonly<Record<string, string>>;
};

/**
 * This program's own streams, its own terminal among them; a new terminal where one is wanted and the streams are
 * none. Throws ExitError 125 when there is no terminal to type at, as Docker does.
 */
export function streamsFor({ interactive, tty }: StreamWishes, context: Context): Streams {
  const { stdin, stdout, size } = context.surroundings.terminals();
  if (!tty) {
    const input = interactive ? "inherit" : "ignore";
    return { stdio: { stdin: input, stdout: "inherit", stderr: "inherit" }, environment: {} };
  }
  if (interactive && !stdin) throw new ExitError(125, "the input device is not a TTY");
  const environment = { TERM: context.surroundings.env.TERM ?? "xterm" };
  if (interactive && stdout)
    return { stdio: { stdin: "inherit", stdout: "inherit", stderr: "inherit" }, environment };
  return { terminal: size, environment };
}

/**
 * Connects a terminal that was made for a command to this program's streams, until the command closes it. Returns
 * what resolves then, when all that was printed is written.
 */
export async function connectTerminal(
  terminal: CommandTerminal,
  { interactive }: StreamWishes,
  context: Context,
): Promise<void> {
  const { stdin } = context.surroundings;
  const unfollow = followSize(terminal, context);
  const typing = interactive && stdin instanceof ReadStream ? stdin : undefined;
  typing?.setRawMode(true);
  if (interactive) stdin.pipe(terminal.input, { end: false });
  try {
    for await (const chunk of terminal.output) await context.print(chunk);
  } finally {
    unfollow();
    if (interactive) {
      stdin.unpipe(terminal.input);
      stdin.pause();
    }
    typing?.setRawMode(false);
    terminal.close();
  }
}

/** Gives a command's terminal the size of this program's, now and whenever that changes; until the function that is given back is called. */
export function followSize(terminal: CommandTerminal, context: Context): () => void {
  const { stdout, terminals } = context.surroundings;
  const resize = () => {
    const { size } = terminals();
    terminal.resize(size.columns, size.rows);
  };
  resize();
  stdout.on("resize", resize);
  return () => void stdout.off("resize", resize);
}
