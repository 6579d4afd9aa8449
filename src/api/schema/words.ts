import { z } from "zod";

/** Keys and values as people give them: labels, driver options. */
export const Words = z.record(z.string(), z.string());

/** A time, RFC 3339 with ms, UTC: `2026-11-21T16:07:06.123Z`. Empty where there is none. */
export const Time = z.string();

/**
 * Filters of a listing, as Docker's: every key has to hold, and of a key's values one. The values of
 * `label` are `key` or `key=value`, and all of them have to hold.
 */
export const Filters = z.record(z.string(), z.array(z.string())).meta({ id: "Filters" });
export type Filters = z.infer<typeof Filters>;
