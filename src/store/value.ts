import { messageOf, WeftError } from "../core/index.ts";
import type { StoreKey, StoreValue } from "./store.ts";

/** Deeper than any record; a value that contains itself is found by it. */
const maxDepth = 500;

/**
 * The JSON text of a value. It is made when the value is put, so what the caller does to the value
 * later changes nothing. Members that are undefined are left out and -0 becomes 0, as JSON has it.
 * Throws INTERNAL, naming the place, for what JSON cannot give back: undefined, NaN, infinities,
 * bigints, functions, symbols, holes, instances of classes, values that contain themselves.
 */
export function encodeValue(key: StoreKey, value: StoreValue): string {
  if (!isPlainJson(value, 0)) checkJson(key, value, []);
  return JSON.stringify(value);
}

/** True for what {@link checkJson} lets pass; it takes notes on the way, which costs as much as the text itself. */
function isPlainJson(value: unknown, depth: number): boolean {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || depth >= maxDepth) return false;
  if (Array.isArray(value)) {
    // By index, so that a hole is seen as the undefined that it reads as.
    for (let i = 0; i < value.length; i++) if (!isPlainJson(value[i], depth + 1)) return false;
    return true;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  const members = value as Readonly<Record<string, unknown>>; // what is neither null nor a list has members
  for (const name of Object.keys(members)) {
    const member = members[name];
    if (member !== undefined && !isPlainJson(member, depth + 1)) return false;
  }
  return true;
}

/** The value of a text. Throws STORE when it is no JSON, that is, when something else wrote it. */
export function decodeValue(key: StoreKey, text: string): StoreValue {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const what = `the stored value of ${key} is not JSON: ${messageOf(cause)}`;
    throw new WeftError("STORE", `${what}: it is damaged: restore a backup`, { cause });
  }
}

function checkJson(key: StoreKey, value: unknown, path: (string | number)[]): void {
  switch (typeof value) {
    case "string":
    case "boolean":
      return;
    case "number":
      if (Number.isFinite(value)) return;
      throw refused(key, path, String(value));
    case "object":
      if (value === null) return;
      if (path.length >= maxDepth) throw refused(key, path.slice(0, 3), "a value nested too deep");
      if (Array.isArray(value)) checkItems(key, value, path);
      else checkMembers(key, value, path);
      return;
    default:
      throw refused(key, path, value === undefined ? "undefined" : `a ${typeof value}`);
  }
}

function checkItems(key: StoreKey, items: readonly unknown[], path: (string | number)[]): void {
  // By index, so that a hole is seen as the undefined that it reads as.
  for (let i = 0; i < items.length; i++) {
    path.push(i);
    checkJson(key, items[i], path);
    path.pop();
  }
}

function checkMembers(key: StoreKey, value: object, path: (string | number)[]): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw refused(key, path, `an instance of ${value.constructor?.name || "a class"}`);
  }
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    path.push(name);
    checkJson(key, member, path);
    path.pop();
  }
}

function refused(key: StoreKey, path: readonly (string | number)[], what: string): WeftError {
  const place = path.length === 0 ? "" : ` at ${path.join(".")}`;
  return new WeftError("INTERNAL", `invalid value for ${key}${place}: JSON cannot carry ${what}`);
}
