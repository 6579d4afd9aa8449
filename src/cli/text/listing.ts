import { UsageError } from "../failures.ts";
import { printable } from "./printable.ts";
import { alignColumns } from "./table.ts";
import { parseTemplate, renderTemplate, type TemplatePart, unknownField } from "./template.ts";

/** What a cell may depend on besides its object. */
export interface CellContext {
  /** False to show people what fits a line: short ids, cut commands. */
  readonly whole: boolean;
  /** Now, in ms since 1970. */
  readonly now: number;
}

/** A field of a listing: a column of its table, and `{{.Name}}` of its templates. */
export interface Column<Item> {
  readonly name: string;
  readonly header: string;
  readonly value: (item: Item, context: CellContext) => string;
}

/** How objects of one kind are listed. */
export interface Listing<Item> {
  /** All fields; those of the table are the ones that `shown` names, in its order. */
  readonly columns: readonly Column<Item>[];
  readonly shown: readonly string[];
  /** What `-q` prints. */
  readonly id?: (item: Item, context: CellContext) => string;
}

/** The options that every listing has. */
export interface ListingOptions {
  readonly format?: string | undefined;
  readonly quiet?: boolean | undefined;
  /** False for `--no-trunc`: commander's way. */
  readonly trunc?: boolean | undefined;
}

/** Turns objects into the text that was asked for. */
export type ListingRenderer<Item> = (items: readonly Item[], now: number) => string;

/**
 * What `options` ask for, checked before anything is asked of the daemon. Throws UsageError for a format that is
 * not understood or a field that there is not.
 */
export function listingRenderer<Item>(
  listing: Listing<Item>,
  options: ListingOptions,
): ListingRenderer<Item> {
  const { id } = listing;
  const { format } = options;
  const whole = options.trunc === false;
  if (options.quiet === true && id !== undefined) {
    return (items, now) => items.map((item) => `${id(item, { whole, now })}\n`).join("");
  }
  if (format === "json") return (items) => `${JSON.stringify(items)}\n`;
  if (format === undefined || format === "" || format === "table") return tableRenderer(listing, whole);
  const table = /^table\s+/.exec(format)?.[0];
  const parts = parseTemplate(format.slice(table?.length ?? 0));
  checkFields(listing, parts);
  const headers = Object.fromEntries(listing.columns.map(({ name, header }) => [name, header]));
  return (items, now) => {
    const lines = items.map((item) => renderTemplate(parts, rowOf(listing, item, { whole, now })));
    if (table === undefined) return lines.map((line) => `${line}\n`).join("");
    const plain = parts.map((part) => (part.kind === "field" ? { ...part, json: false } : part));
    return alignColumns(
      [renderTemplate(plain, headers), ...lines].map((line) => line.split("\t").map(printable)),
    );
  };
}

function tableRenderer<Item>(listing: Listing<Item>, whole: boolean): ListingRenderer<Item> {
  const columns = listing.shown.flatMap((name) => listing.columns.filter((column) => column.name === name));
  return (items, now) => {
    const rows = items.map((item) => columns.map(({ value }) => printable(value(item, { whole, now }))));
    return alignColumns([columns.map(({ header }) => header), ...rows]);
  };
}

function rowOf<Item>(
  listing: Listing<Item>,
  item: Item,
  context: CellContext,
): Readonly<Record<string, string>> {
  return Object.fromEntries(listing.columns.map(({ name, value }) => [name, value(item, context)]));
}

function checkFields<Item>(listing: Listing<Item>, parts: readonly TemplatePart[]): void {
  const names = listing.columns.map(({ name }) => name);
  for (const part of parts) {
    if (part.kind === "text" || part.path.length === 0) continue;
    const [first = "", ...rest] = part.path;
    if (!names.includes(first)) throw unknownField([first], names);
    if (rest.length > 0) throw new UsageError(`--format: .${first} has no fields`);
  }
}
