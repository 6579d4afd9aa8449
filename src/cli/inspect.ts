import type { Context } from "./context.ts";
import { ExitError } from "./failures.ts";
import { inspectionRenderer } from "./text/inspection.ts";

/**
 * Prints what `find` tells of each of `names`. Those that it refuses are complained of, after the others are printed.
 * Throws ExitError 1 then, and UsageError for a format that is not understood.
 */
export async function inspect(
  context: Context,
  names: readonly string[],
  format: string | undefined,
  find: (name: string) => Promise<unknown>,
): Promise<void> {
  const render = inspectionRenderer(format);
  const found: unknown[] = [];
  const errors: unknown[] = [];
  for (const name of names) {
    try {
      found.push(await find(name));
    } catch (error) {
      errors.push(error);
    }
  }
  await context.print(render(found));
  for (const error of errors) await context.complain(error);
  if (errors.length > 0) throw new ExitError(1);
}
