import { z } from "zod";
import { Filters } from "../schema/index.ts";

/** The words of a query are texts. What they mean to OpenAPI stands in `meta`, which overrides a schema's own type. */

/** A switch: `?all`, `?all=1`, `?all=true`; off without, and with `0` and `false`. */
export function flag(description: string) {
  return z
    .string()
    .optional()
    .transform((text, context) => {
      const on = text === undefined ? false : switches.get(text);
      if (on !== undefined) return on;
      context.issues.push({ code: "custom", message: "expected true, 1, false or 0", input: text });
      return z.NEVER;
    })
    .meta({ type: "boolean", description });
}

const switches = new Map([
  ["", true],
  ["1", true],
  ["true", true],
  ["0", false],
  ["false", false],
]);

/** A whole number of at least 0, without sign or spaces. */
const wholeNumber = z
  .string()
  .regex(/^\d{1,9}$/, "expected a whole number of at most 9 digits")
  .transform(Number);

/** Seconds until SIGKILL. */
export const Seconds = wholeNumber.optional().meta({
  type: "integer",
  minimum: 0,
  maximum: 999_999_999,
  description: "Seconds until SIGKILL; the sandbox's own without.",
});

/** A number of lines; undefined for all of them. */
export const Tail = z
  .union([z.literal("all").transform(() => undefined), wholeNumber], {
    error: "expected a whole number of at most 9 digits, or all",
  })
  .optional()
  .meta({ description: "The last so many lines; `all` without." });

/** Filters as a JSON text, Docker's way: `?filters={"driver":["bridge"]}`. */
export const FiltersText = z
  .string()
  .default("{}")
  .transform((text, context) => {
    const filters = Filters.safeParse(parse(text));
    if (filters.success) return filters.data;
    context.issues.push({
      code: "custom",
      message: 'expected JSON of lists of texts, {"driver":["bridge"]}',
      input: text,
    });
    return z.NEVER;
  });

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
