import type { Command, Option } from "commander";
import type { Position } from "./candidates.ts";

/** Reads the words before the cursor, of which each has been typed to its end. */
export function positionAfter(program: Command, words: readonly string[]): Position {
  let command = program;
  let operands = 0;
  let option: Option | undefined;
  let optionsAllowed = true;
  for (const word of words) {
    if (option !== undefined) {
      option = undefined;
    } else if (optionsAllowed && word === "--") {
      optionsAllowed = false;
    } else if (optionsAllowed && word.startsWith("-")) {
      option = awaitingValue(command, word);
    } else {
      const below = command.commands.find((sub) => sub.name() === word || sub.aliases().includes(word));
      if (below !== undefined) command = below;
      else operands++;
      if (endsAtOperand(command, operands)) optionsAllowed = false;
    }
  }
  return { command, operands, option, optionsAllowed };
}

/** True when what follows is another command's: behind the operands of run, exec and plan. */
function endsAtOperand(command: Command, operands: number): boolean {
  return operands > 0 && command.registeredArguments.some((argument) => argument.name() === "command");
}

/** The option whose value is the next word. */
function awaitingValue(command: Command, word: string): Option | undefined {
  if (word.startsWith("--")) return command.options.find(({ long, required }) => long === word && required);
  for (let at = 1; at < word.length; at++) {
    const option = command.options.find(({ short }) => short === `-${word[at]}`);
    if (option === undefined) return undefined;
    if (option.required) return at === word.length - 1 ? option : undefined;
  }
  return undefined;
}
