import { type Codec, u32be } from "../wire.ts";

/**
 * A codec for a number of the kernel that has a name: 32 bits in network order, as nftables has them.
 * Reading throws RangeError for a number without a name; whoever decodes then keeps the bytes.
 */
export function symbol<const K extends string>(table: Readonly<Record<K, number>>): Codec<K> {
  const names = namesByNumber(table);
  return {
    write: (writer, name) => u32be.write(writer, table[name]),
    read(bytes) {
      const number = u32be.read(bytes);
      const name = names.get(number);
      if (name === undefined) throw new RangeError(`no name for ${number}`);
      return name;
    },
  };
}

/**
 * A codec for a set of flags: 32 bits in network order, the names in the order of `table`. Reading
 * throws RangeError when a bit has no name.
 */
export function flags<const K extends string>(table: Readonly<Record<K, number>>): Codec<readonly K[]> {
  return {
    write: (writer, names) => u32be.write(writer, flagBits(table, names)),
    read: (bytes) => flagNames(table, u32be.read(bytes)),
  };
}

/** The bits of named flags. */
export function flagBits<K extends string>(
  table: Readonly<Record<K, number>>,
  names: readonly K[] | undefined,
): number {
  return (names ?? []).reduce((bits, name) => bits | table[name], 0) >>> 0;
}

/** The names of the bits that are set, in the order of `table`. Throws RangeError when one has no name. */
export function flagNames<K extends string>(table: Readonly<Record<K, number>>, bits: number): readonly K[] {
  const found: K[] = [];
  let rest = bits;
  for (const [number, name] of namesByNumber(table)) {
    if (number === 0 || (bits & number) >>> 0 !== number) continue;
    found.push(name);
    rest &= ~number;
  }
  if (rest !== 0) throw new RangeError(`no name for the bits 0x${(rest >>> 0).toString(16)}`);
  return found;
}

function namesByNumber<K extends string>(table: Readonly<Record<K, number>>): Map<number, K> {
  // Object.keys forgets the type of the keys of a literal table.
  return new Map((Object.keys(table) as K[]).map((name) => [table[name], name]));
}

/** A copy of `value` without the members that are undefined, so that absent and undefined compare equal. */
export function compact<T extends object>(value: T): Compact<T> {
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(entries) as Compact<T>; // undefined members were just taken out
}

/** An object whose members that might be undefined may be absent instead. */
export type Compact<T> = {
  readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} & { readonly [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> };
