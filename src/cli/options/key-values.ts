import { InvalidArgumentError } from "commander";

/** For an option that may be given several times: its values in their order. */
export function collect(value: string, former: readonly string[] | undefined): readonly string[] {
  return [...(former ?? []), value];
}

/** `KEY=VALUE`, or `KEY` alone, which stands for an empty value; several times. */
export function collectWords(
  text: string,
  former: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  const [key, value] = splitAtEquals(text);
  if (key === "") throw new InvalidArgumentError("It should be KEY=VALUE.");
  return { ...former, [key]: value ?? "" };
}

/** `KEY=VALUE`, several times. */
export function collectPairs(
  text: string,
  former: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  const [key, value] = splitAtEquals(text);
  if (key === "" || value === undefined) throw new InvalidArgumentError("It should be KEY=VALUE.");
  return { ...former, [key]: value };
}

/** `KEY=VALUE` of a listing's filter, several times also for one key. */
export function collectFilters(
  text: string,
  former: Readonly<Record<string, readonly string[]>> | undefined,
): Record<string, string[]> {
  const [key, value] = splitAtEquals(text);
  if (key === "" || value === undefined) {
    throw new InvalidArgumentError("It should be KEY=VALUE, as in name=web or label=tier=front.");
  }
  const filters = Object.fromEntries(
    Object.entries(former ?? {}).map(([name, values]) => [name, [...values]]),
  );
  return { ...filters, [key]: [...(filters[key] ?? []), value] };
}

/** The two sides of the first `=`. */
export function splitAtEquals(text: string): readonly [string, string | undefined] {
  const at = text.indexOf("=");
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
