import { type Command, CommanderError } from "commander";
import { type Configure, commandEntries, moreHeading } from "./command-entries.ts";
import { type Context, defaultRun, socketIn, socketPathOf } from "./context.ts";
import { ExitError, UsageError } from "./failures.ts";
import { ownVersion } from "./own-version.ts";
import { WeftCommand } from "./weft-command.ts";

/** Commands that weft itself and its completion scripts call; no help lists them. */
const hiddenEntries: Readonly<Record<string, () => Promise<Configure>>> = {
  __complete: async () => (await import("./commands/complete.ts")).completeCommand,
  __purge: async () => (await import("./commands/down.ts")).purgeCommand,
};

/**
 * The top of weft's commands. Of those below only `name` is loaded; without one, none; with "all", all. Of those
 * below that one, only `below` is, or all: a file more costs each start a millisecond.
 */
export async function weftProgram(
  context: Context,
  name: string | undefined,
  below?: string | undefined,
): Promise<Command> {
  const program = new WeftCommand("weft")
    .description("Networks, names and published ports for commands and containers on Linux.")
    .usage("[options] COMMAND [ARG…]")
    .option("-H, --host <socket>", `the daemon's socket (default: $WEFT_SOCKET or ${socketIn(defaultRun)})`)
    .version(`weft version ${ownVersion()}`, "-v, --version", "print the version of weft")
    .helpOption("-h, --help", "print how a command is used")
    .commandsGroup(moreHeading)
    .helpCommand("help [COMMAND]", "Print how a command is used")
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput(outputOf(context))
    .configureHelp({ showGlobalOptions: false })
    .on("option:host", (socket: string) => {
      context.socketPath = socketPathOf(socket) ?? context.socketPath;
    })
    .addHelpText("after", topExamples);
  for (const entry of commandEntries) {
    const command = program.command(entry.name).description(entry.summary).helpGroup(entry.heading);
    if (name === entry.name || name === "all") await (await entry.load())(command, context, below);
  }
  const hidden = name === undefined ? undefined : hiddenEntries[name];
  if (name !== undefined && hidden !== undefined)
    await (await hidden())(program.command(name, { hidden: true }), context);
  return program;
}

const topExamples = `
Examples:
  weft up                                            start the daemon
  weft network create web                            make a network
  weft run -d --name hello --network web -p 8080:80 busybox httpd -f
  weft run --network web busybox wget -qO- http://hello
  weft ps                                            see what runs
  weft rm -f hello && weft network rm web            take it all away

\`weft COMMAND --help\` says more of each command.`;

/** Where commander prints helps. */
function outputOf(context: Context) {
  const { stdout } = context.surroundings;
  const print = (text: string) => {
    stdout.write(text);
  };
  return { writeOut: print, writeErr: print };
}

/** The name of the command that `argv` asks for, before anything is loaded. */
export function commandNameIn(argv: readonly string[]): string | undefined {
  return commandNamesIn(argv)[0];
}

/** The same, with the word behind it: the name of a command below, if it has any. */
function commandNamesIn(argv: readonly string[]): readonly [string | undefined, string | undefined] {
  const operands = operandsIn(argv);
  return operands[0] === "help" ? [operands[1], undefined] : [operands[0], operands[1]];
}

function operandsIn(argv: readonly string[]): readonly string[] {
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? "";
    if (word === "--") return argv.slice(at + 1);
    if (word === "-H" || word === "--host") at++;
    else if (!word.startsWith("-")) return argv.slice(at);
  }
  return [];
}

/**
 * Does what `argv` asks for; `check` is shown the command before it acts. Throws UsageError for wrong usage, and
 * whatever else went wrong.
 */
export async function perform(
  argv: readonly string[],
  context: Context,
  check: (command: Command) => void = () => {},
): Promise<void> {
  const program = await weftProgram(context, ...commandNamesIn(argv));
  program.hook("preAction", (_program, command) => check(command));
  try {
    await program.parseAsync([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (!printed.has(error.code)) throw new UsageError(error.message.replace(/^error: /, ""));
  }
}

/** Commander's ways to end when it has printed a help or the version, which is no failure. */
const printed: ReadonlySet<string> = new Set([
  "commander.help",
  "commander.helpDisplayed",
  "commander.version",
]);

/** The status of a failure. */
export function statusOf(error: unknown): number {
  if (error instanceof ExitError) return error.status;
  return error instanceof UsageError ? 2 : 1;
}
