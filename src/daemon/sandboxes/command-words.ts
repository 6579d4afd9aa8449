import { WeftError } from "../../core/index.ts";

/** `NAME=value` as the launcher has it; a later one of the same name wins. Throws INVALID_OPTION. */
export function commandEnvironment(entries: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    entries.map((entry) => {
      const [, name, value] = /^([^=]+)=(.*)$/s.exec(entry) ?? [];
      if (name !== undefined && value !== undefined) return [name, value];
      throw new WeftError(
        "INVALID_OPTION",
        `invalid environment variable ${JSON.stringify(entry)}: it should be NAME=value`,
      );
    }),
  );
}
