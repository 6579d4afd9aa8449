import { Command, type Option } from "commander";
import { UsageError } from "./failures.ts";

/**
 * Commander's command, with Docker's way to write a switch (`--internal=false`, `--rm=true`), and UsageError for what
 * is wrong with the words.
 */
export class WeftCommand extends Command {
  #endsAtOperand = false;

  override createCommand(name?: string): WeftCommand {
    return new WeftCommand(name);
  }

  /** Where commander tells of every refusal. */
  override error(message: string): never {
    const words = message
      .replace(/^error: /, "")
      .replaceAll(/\s*\n\s*/g, " ")
      .replace(/\.$/, "");
    throw new UsageError(`${words}; see \`${commandPath(this)} --help\``);
  }

  override passThroughOptions(passThrough = true): this {
    this.#endsAtOperand = passThrough;
    return super.passThroughOptions(passThrough);
  }

  override parseOptions(argv: string[]): ReturnType<Command["parseOptions"]> {
    return super.parseOptions(this.#plainSwitches(argv));
  }

  /** `--flag=true` becomes `--flag`, and `--flag=false` becomes `--no-flag` if there is one, else nothing. */
  #plainSwitches(argv: readonly string[]): string[] {
    const endsAtOperand = this.#endsAtOperand || this.commands.length > 0;
    const plain: string[] = [];
    for (let at = 0; at < argv.length; at++) {
      const word = argv[at] ?? "";
      if (word === "--" || (endsAtOperand && !word.startsWith("-"))) return [...plain, ...argv.slice(at)];
      const { option, takesNext } = this.#optionOf(word);
      const equals = word.indexOf("=");
      const isSwitch = option !== undefined && !option.required && !option.optional;
      if (isSwitch && equals > 0)
        plain.push(...this.#switched(word.slice(0, equals), word.slice(equals + 1)));
      else plain.push(word);
      if (takesNext) plain.push(...argv.slice(++at, at + 1));
    }
    return plain;
  }

  #switched(name: string, value: string): string[] {
    if (["true", "1", "t"].includes(value.toLowerCase())) return [name];
    if (!["false", "0", "f"].includes(value.toLowerCase())) return [`${name}=${value}`]; // refused as unknown
    const negative = `--no-${name.replace(/^-+/, "")}`;
    return this.options.some(({ long }) => long === negative) ? [negative] : [];
  }

  /** The option that a word gives; of short ones written together, the last. And whether the next word is its value. */
  #optionOf(word: string): { readonly option: Option | undefined; readonly takesNext: boolean } {
    if (!word.startsWith("-")) return { option: undefined, takesNext: false };
    if (word.startsWith("--")) {
      const name = word.split("=", 1)[0];
      const option = this.options.find(({ long }) => long === name);
      return { option, takesNext: option?.required === true && word === name };
    }
    let last: Option | undefined;
    for (let at = 1; at < word.length && word[at] !== "="; at++) {
      last = this.options.find(({ short }) => short === `-${word[at]}`);
      if (last === undefined || last.required) {
        return { option: last, takesNext: last?.required === true && at === word.length - 1 };
      }
    }
    return { option: last, takesNext: false };
  }
}

/** The words that lead to a command: `weft network create`. */
export function commandPath(command: Command): string {
  return command.parent === null ? command.name() : `${commandPath(command.parent)} ${command.name()}`;
}
