import { UsageError } from "../failures.ts";

/** A piece of a `--format` text: as it stands, or the value of a field. */
export type TemplatePart =
  | { readonly kind: "text"; readonly text: string }
  /** `path` is empty for the whole object. */
  | { readonly kind: "field"; readonly path: readonly string[]; readonly json: boolean };

const field = /^(json\s+)?(\.(?:[\w-]+(?:\.[\w-]+)*)?)$/;

/**
 * Docker's `{{.Field}}`, `{{.A.B}}`, `{{json .Field}}` and `{{json .}}` with text between; `\t` and `\n` are a tab
 * and a line break. Throws UsageError for whatever else stands in braces.
 */
export function parseTemplate(source: string): readonly TemplatePart[] {
  const parts: TemplatePart[] = [];
  const text = (piece: string) => {
    if (piece !== "") parts.push({ kind: "text", text: unescapeBreaks(piece) });
  };
  let at = 0;
  for (;;) {
    const open = source.indexOf("{{", at);
    if (open < 0) break;
    const close = source.indexOf("}}", open);
    if (close < 0) throw new UsageError(`--format: ${quote(source.slice(open))} has no closing }}`);
    text(source.slice(at, open));
    parts.push(parseField(source.slice(open, close + 2)));
    at = close + 2;
  }
  text(source.slice(at));
  return parts;
}

function parseField(braces: string): TemplatePart {
  const match = field.exec(braces.slice(2, -2).trim());
  const path = match?.[2];
  if (path === undefined) {
    throw new UsageError(
      `--format: ${braces} is not understood: it should be {{.Field}}, {{.Field.Field}}, {{json .Field}} or {{json .}}`,
    );
  }
  return {
    kind: "field",
    path: path.split(".").filter((name) => name !== ""),
    json: match?.[1] !== undefined,
  };
}

function unescapeBreaks(text: string): string {
  return text.replaceAll("\\t", "\t").replaceAll("\\n", "\n");
}

function quote(text: string): string {
  return JSON.stringify(text);
}

/** The text of one object. Throws UsageError for a field that it has not got. */
export function renderTemplate(parts: readonly TemplatePart[], object: unknown): string {
  return parts
    .map((part) => {
      if (part.kind === "text") return part.text;
      const value = valueAt(object, part.path);
      return typeof value === "string" && !part.json ? value : JSON.stringify(value);
    })
    .join("");
}

function valueAt(object: unknown, path: readonly string[]): unknown {
  let value = object;
  path.forEach((name, depth) => {
    const fields = typeof value === "object" && value !== null ? Object.entries(value) : [];
    const found = fields.find(([key, at]) => key === name && at !== undefined);
    if (found === undefined)
      throw unknownField(
        path.slice(0, depth + 1),
        fields.map(([key]) => key),
      );
    value = found[1];
  });
  return value;
}

/** The refusal of a field by name, with those that there are. */
export function unknownField(path: readonly string[], known: readonly string[]): UsageError {
  const there = known.length === 0 ? "nothing is below it" : `there are ${known.join(", ")}`;
  return new UsageError(`--format: no field .${path.join(".")}: ${there}`);
}
