import type { Command } from "commander";
import { type Completion, completionAt, type NameSource } from "../completion/candidates.ts";
import { positionAfter } from "../completion/position.ts";
import { Context, socketPathOf } from "../context.ts";
import { commandNameIn, weftProgram } from "../program.ts";

/** How long the daemon is waited for, in ms: somebody has pressed a key. */
const patienceMs = 1000;

/** `weft __complete -- WORDS… CURRENT`: what could stand in the place of the last word; see completionScript. */
export function completeCommand(command: Command, context: Context): void {
  command.argument("[words...]").action(async (words: readonly string[]) => {
    const { candidates, besides } = await complete(words, context);
    const lines = candidates.map(({ value, description }) =>
      description ? `${value}\t${description}` : value,
    );
    await context.print([...lines, `:${besides}`, ""].join("\n"));
  });
}

async function complete(words: readonly string[], context: Context): Promise<Completion> {
  const before = words.slice(0, -1);
  const current = words.at(-1) ?? "";
  const name = commandNameIn(before);
  const operand = name === undefined ? -1 : before.indexOf(name);
  // What stands behind `help` and `plan` is another command line.
  if (name === "plan" && before.length > operand + 1 && !before[operand + 1]?.startsWith("-")) {
    return complete(words.slice(operand + 1), context);
  }
  const plain = before.filter((word, at) => word !== "help" || at !== 0);
  const program = await weftProgram(new Context(context.surroundings), name);
  const socketPath = socketIn(before) ?? context.socketPath;
  const completion = await completionAt(positionAfter(program, plain), current, namesAt(socketPath));
  if (name !== "plan" || current.startsWith("-")) return completion;
  return completionAt(positionAfter(program, []), current, namesAt(socketPath));
}

/** The socket that a -H before the cursor names. */
function socketIn(words: readonly string[]): string | undefined {
  const at = words.findIndex((word) => word === "-H" || word === "--host");
  const assigned = words.find((word) => word.startsWith("--host="))?.slice("--host=".length);
  return socketPathOf(at < 0 ? assigned : words[at + 1]);
}

function namesAt(socketPath: string): NameSource {
  const ask = async (question: "networks" | "sandboxes"): Promise<readonly string[]> => {
    const { WeftClient } = await import("../../api/client/index.ts");
    const client = new WeftClient({ socketPath, signal: AbortSignal.timeout(patienceMs) });
    try {
      const found =
        question === "networks" ? await client.networks() : await client.sandboxes({}, { all: true });
      return found.map(({ Name }) => Name);
    } catch {
      return []; // nobody wants to read of it in the middle of a line
    }
  };
  return { networks: () => ask("networks"), sandboxes: () => ask("sandboxes") };
}
