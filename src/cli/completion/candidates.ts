import type { Command, Option } from "commander";

/** What a shell itself can offer. */
export type Besides = "none" | "files" | "folders" | "commands";

/** A word that could stand where the cursor is. */
export interface Candidate {
  readonly value: string;
  readonly description?: string;
}

/** What could stand where the cursor is. */
export interface Completion {
  readonly candidates: readonly Candidate[];
  readonly besides: Besides;
}

/** Names that only the daemon knows. Resolves with none when it does not answer. */
export interface NameSource {
  readonly networks: () => Promise<readonly string[]>;
  readonly sandboxes: () => Promise<readonly string[]>;
}

/** Where a command line has come to: which command, what of it was given, and whether a value is awaited. */
export interface Position {
  readonly command: Command;
  readonly operands: number;
  readonly option: Option | undefined;
  /** False behind `--`, and where options belong to another command. */
  readonly optionsAllowed: boolean;
}

/** What could stand at `position`, of that which begins with `current`. */
export async function completionAt(
  position: Position,
  current: string,
  names: NameSource,
): Promise<Completion> {
  const { command, option } = position;
  if (option !== undefined) return optionValue(option, current, "", names);
  const assigned = /^(--[^=]+=)(.*)$/s.exec(current);
  if (assigned !== null && position.optionsAllowed) {
    const [, prefix = "", value = ""] = assigned;
    const found = command.options.find(({ long }) => `${long}=` === prefix);
    return found?.required ? optionValue(found, value, prefix, names) : nothing;
  }
  if (current.startsWith("-") && position.optionsAllowed) return among(optionsOf(command), current);
  if (command.commands.length > 0) {
    return position.operands > 0 ? nothing : among(commandsOf(command), current);
  }
  const argument = command.registeredArguments[position.operands] ?? command.registeredArguments.at(-1);
  const isLast = position.operands >= command.registeredArguments.length - 1;
  if (argument === undefined || (!isLast && argument.variadic)) return nothing;
  if (position.operands >= command.registeredArguments.length && !argument.variadic) return nothing;
  if (argument.argChoices !== undefined) return among(argument.argChoices.map(valueAlone), current);
  const first = position.operands < command.registeredArguments.length;
  return kindOf(argument.name() === "command" && !first ? "file" : argument.name(), current, "", names);
}

const nothing: Completion = { candidates: [], besides: "none" };

function valueAlone(value: string): Candidate {
  return { value };
}

function among(candidates: readonly Candidate[], current: string): Completion {
  return { candidates: candidates.filter(({ value }) => value.startsWith(current)), besides: "none" };
}

function optionsOf(command: Command): Candidate[] {
  const help = command.createHelp();
  return help.visibleOptions(command).flatMap(({ long, short, description }) => {
    const value = long ?? short;
    return value === undefined ? [] : [{ value, description }];
  });
}

function commandsOf(command: Command): Candidate[] {
  const help = command.createHelp();
  return help.visibleCommands(command).map((sub) => ({ value: sub.name(), description: sub.description() }));
}

function optionValue(
  option: Option,
  current: string,
  prefix: string,
  names: NameSource,
): Promise<Completion> | Completion {
  if (option.argChoices !== undefined)
    return prefixed(among(option.argChoices.map(valueAlone), current), prefix);
  const placeholder = /<([^>.]+)/.exec(option.flags)?.[1] ?? "";
  return kindOf(placeholder, current, prefix, names);
}

/** Options and arguments say by the name of their value what it is. */
async function kindOf(kind: string, current: string, prefix: string, names: NameSource): Promise<Completion> {
  if (kind === "network") return prefixed(await networksAndModes(current, names), prefix);
  if (kind === "sandbox") return prefixed(among((await names.sandboxes()).map(valueAlone), current), prefix);
  const known = words[kind];
  if (known !== undefined) return prefixed(among(known.map(valueAlone), current), prefix);
  return { candidates: [], besides: besidesOf[kind] ?? "none" };
}

const words: Readonly<Record<string, readonly string[]>> = {
  driver: ["bridge", "host", "ipvlan", "macvlan", "null"],
  policy: ["no", "on-failure", "always", "unless-stopped"],
  format: ["json", "table"],
  signal: ["SIGHUP", "SIGINT", "SIGKILL", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2"],
};

const besidesOf: Readonly<Record<string, Besides>> = {
  file: "files",
  path: "files",
  socket: "files",
  dir: "folders",
  command: "commands",
};

const sandboxMode = "container:";

async function networksAndModes(current: string, names: NameSource): Promise<Completion> {
  if (current.startsWith(sandboxMode)) {
    const sandboxes = await names.sandboxes();
    return among(
      sandboxes.map((name) => ({ value: sandboxMode + name })),
      current,
    );
  }
  return among((await names.networks()).map(valueAlone), current);
}

function prefixed({ candidates, besides }: Completion, prefix: string): Completion {
  return { candidates: candidates.map((one) => ({ ...one, value: prefix + one.value })), besides };
}
