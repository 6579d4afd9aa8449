/**
 * A text for plain data: JSON with object keys in order and undefined members left out, so that two
 * values are deeply equal exactly when their texts are. What JSON lacks has a form that JSON does not
 * have either: `5n` for a bigint, `x"00ff"` for bytes, `NaN`, `undefined`.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "number") return String(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (value instanceof Uint8Array) return `x"${Buffer.from(value).toString("hex")}"`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
    return `{${members.join(",")}}`;
  }
  return JSON.stringify(value) ?? "undefined";
}

/** Deep equality by {@link canonicalJson}, at no cost for one and the same object. */
export function deepEqual(a: unknown, b: unknown): boolean {
  return a === b || canonicalJson(a) === canonicalJson(b);
}
