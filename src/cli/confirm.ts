import { createInterface } from "node:readline";
import type { Context } from "./context.ts";

/** Asks a question on the standard output; true when the next line of the standard input says yes. */
export async function confirmed(context: Context, question: string): Promise<boolean> {
  await context.print(`${question}\nAre you sure you want to continue? [y/N] `);
  const lines = createInterface({ input: context.surroundings.stdin });
  try {
    for await (const line of lines) return ["y", "yes"].includes(line.trim().toLowerCase());
    return false;
  } finally {
    lines.close();
  }
}
