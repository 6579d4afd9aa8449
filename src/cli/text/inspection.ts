import { parseTemplate, renderTemplate } from "./template.ts";

/**
 * How whole objects are printed: as one JSON array, on many lines for people and on one for `--format json`, or
 * one line an object by a template. Throws UsageError for a template that is not understood; what is returned
 * throws it for a field that an object has not got.
 */
export function inspectionRenderer(format: string | undefined): (objects: readonly unknown[]) => string {
  if (format === undefined || format === "") return (objects) => `${JSON.stringify(objects, null, 4)}\n`;
  if (format === "json") return (objects) => `${JSON.stringify(objects)}\n`;
  const parts = parseTemplate(format);
  return (objects) => objects.map((object) => `${renderTemplate(parts, object)}\n`).join("");
}
