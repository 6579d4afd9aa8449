import type { Filters } from "../api/index.ts";
import { isWeftError, WeftError } from "../core/index.ts";
import { type ExposedPort, parseExposed } from "../ports/index.ts";

/** What a listing can be filtered by: for each key, whether a thing has a value. */
export type FilterKeys<T> = Readonly<Record<string, FilterKey<T>>>;

/** One key: a test, or what reads a value once and gives the test. Readers throw INVALID_OPTION for what is none. */
export type FilterKey<T> =
  | ((thing: T, value: string) => boolean)
  | { readonly read: (value: string) => (thing: T) => boolean };

/**
 * Finds what passes the filters: of each key one value has to hold, of `label` every one. Throws
 * INVALID_OPTION for a key that the listing does not know.
 */
export function filterBy<T>(filters: Filters, keys: FilterKeys<T>): (thing: T) => boolean {
  const tests = Object.entries(filters).map(([key, values]) => {
    const holds = Object.hasOwn(keys, key) ? keys[key] : undefined;
    if (holds === undefined) {
      throw new WeftError(
        "INVALID_OPTION",
        `invalid filter ${JSON.stringify(key)}: it should be one of ${Object.keys(keys).join(", ")}`,
      );
    }
    const ofValues = values.map((value) =>
      typeof holds === "function" ? (thing: T) => holds(thing, value) : holds.read(value),
    );
    const all = key === "label";
    return (thing: T) =>
      all ? ofValues.every((ofValue) => ofValue(thing)) : ofValues.some((ofValue) => ofValue(thing));
  });
  return (thing) => tests.every((test) => test(thing));
}

/** Whether labels have `key` or `key=value`. */
export function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const [, key = wanted, value] = /^([^=]*)=(.*)$/s.exec(wanted) ?? [];
  if (!Object.hasOwn(labels, key)) return false;
  return value === undefined || labels[key] === value;
}

/** Reads `true` and `false`, `1` and `0`, as Docker's filters have them. Throws INVALID_OPTION. */
export function parseFlag(key: string, value: string): boolean {
  if (value === "true" || value === "1") return true;
  if (value === "false" || value === "0") return false;
  throw new WeftError(
    "INVALID_OPTION",
    `invalid filter ${key}=${value}: it should be ${key}=true or ${key}=false`,
  );
}

/** Reads Docker's filters of ports, `80`, `8080-8090/udp`: whether there is one of them. Throws INVALID_OPTION. */
export function parsePorts(key: string, value: string): (ports: readonly ExposedPort[]) => boolean {
  try {
    const wanted = parseExposed(value);
    return (ports) =>
      ports.some((one) =>
        wanted.some(({ port, protocol }) => port === one.port && protocol === one.protocol),
      );
  } catch (error) {
    if (!isWeftError(error, "INVALID_PORT")) throw error;
    throw new WeftError(
      "INVALID_OPTION",
      `invalid filter ${key}=${value}: it should be PORT[-PORT][/PROTOCOL], as 80 or 8080-8090/udp`,
      { cause: error },
    );
  }
}
