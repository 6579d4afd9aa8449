import { u32, Writer } from "../wire.ts";

/**
 * One entry of the userdata that nft hangs on tables, chains, rules, sets and elements. The kernel
 * keeps it unread; nft prints from it. A byte of type, a byte of length, the value.
 */
export interface UserdataEntry {
  readonly type: number;
  readonly value: Uint8Array;
}

/** NFT_USERDATA_MAXLEN: the kernel takes no more, in bytes. */
export const userdataMaximum = 256;

const entryMaximum = 255;

/** Puts entries together; undefined for none. Throws RangeError when they are more than the kernel takes. */
export function writeUserdata(entries: readonly UserdataEntry[]): Uint8Array | undefined {
  if (entries.length === 0) return undefined;
  const parts = entries.flatMap(({ type, value }) => {
    if (value.length > entryMaximum)
      throw new RangeError(`userdata of ${value.length} bytes: ${entryMaximum} is the most`);
    return [Buffer.from([type, value.length]), value];
  });
  const whole = Buffer.concat(parts);
  if (whole.length > userdataMaximum)
    throw new RangeError(`userdata of ${whole.length} bytes: ${userdataMaximum} is the most`);
  return whole;
}

/** Takes entries apart. What is cut off or was written by another program in another way gives no entry. */
export function readUserdata(bytes: Uint8Array | undefined): readonly UserdataEntry[] {
  const entries: UserdataEntry[] = [];
  if (bytes === undefined) return entries;
  for (let at = 0; at + 2 <= bytes.length; ) {
    const length = bytes[at + 1] ?? 0;
    const end = at + 2 + length;
    if (end > bytes.length) break;
    entries.push({ type: bytes[at] ?? 0, value: bytes.subarray(at + 2, end) });
    at = end;
  }
  return entries;
}

/** The value of the first entry of `type`. */
export function userdataValue(entries: readonly UserdataEntry[], type: number): Uint8Array | undefined {
  return entries.find((entry) => entry.type === type)?.value;
}

/** An entry that holds a 32-bit integer in host order. */
export function u32Entry(type: number, value: number): UserdataEntry {
  const writer = new Writer();
  writer.u32(value);
  return { type, value: writer.finish() };
}

/** The integer in an entry; undefined when it holds none. */
export function u32Value(value: Uint8Array | undefined): number | undefined {
  return value?.length === u32.size ? u32.read(Buffer.from(value)) : undefined;
}

/** An entry that holds text, with the NUL at its end that nft wants. */
export function textEntry(type: number, text: string): UserdataEntry {
  return { type, value: Buffer.from(`${text}\0`) };
}

/** The text in an entry. */
export function textValue(value: Uint8Array | undefined): string | undefined {
  if (value === undefined) return undefined;
  const end = value.indexOf(0);
  return Buffer.from(value.subarray(0, end < 0 ? value.length : end)).toString();
}

/** Userdata that is a comment and nothing else, as that of tables, chains, rules and elements is (type 0). */
export function commentUserdata(comment: string | undefined): Uint8Array | undefined {
  return comment === undefined ? undefined : writeUserdata([textEntry(0, comment)]);
}

/** The comment of a table, chain, rule or element. */
export function commentOf(userdata: Uint8Array | undefined): string | undefined {
  return textValue(userdataValue(readUserdata(userdata), 0));
}
