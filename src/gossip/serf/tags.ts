import { fields, MalformedMessage, PackReader, PackWriter } from "../wire/index.ts";

/** What a node's meta begins with when it holds tags (gossip.md B.10). */
const tagMagic = 255;
const maxTagBytes = 512;

/** Tags as a node's meta. */
export function encodeTags(tags: ReadonlyMap<string, string>): Buffer {
  const out = new PackWriter(64).byte(tagMagic).map(tags.size);
  for (const [name, value] of tags) out.text(name).text(value);
  return out.written;
}

/** The tags of a meta; the whole of it is the role of a very old peer. What cannot be read is left out. */
export function decodeTags(meta: Uint8Array): ReadonlyMap<string, string> {
  const tags = new Map<string, string>();
  if (meta[0] !== tagMagic) {
    if (meta.length > 0) tags.set("role", Buffer.from(meta).toString());
    return tags;
  }
  const input = new PackReader(meta, 1);
  try {
    for (let i = input.map(); i > 0; i--) tags.set(input.text(maxTagBytes), input.text(maxTagBytes));
  } catch (error) {
    if (!(error instanceof MalformedMessage)) throw error;
  }
  return tags;
}

const filterFields = fields("Expr", "Tag");

/** True when a query's filters let this node answer. A filter by tag holds an expression, which is not run: it matches nobody. */
export function passesFilters(filters: readonly Uint8Array[], self: string): boolean {
  return filters.every((filter) => {
    const input = new PackReader(filter, 1);
    if (filter[0] !== 0) return filter[0] === 1 && isEmptyTagFilter(input);
    let named = false;
    for (let i = input.array(); i > 0; i--) if (input.text(255) === self) named = true;
    return named;
  });
}

function isEmptyTagFilter(input: PackReader): boolean {
  let asks = false;
  for (let i = input.map(), turn = 0; i > 0; i--, turn++) {
    if (input.field(filterFields, turn) === undefined) input.skip();
    else if (input.text(maxTagBytes) !== "") asks = true;
  }
  return !asks;
}
