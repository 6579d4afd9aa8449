import type { Command } from "commander";
import type { Context } from "../context.ts";
import { addFormatOption } from "../options/format-option.ts";
import { fieldLines } from "../text/field-lines.ts";
import { parseTemplate, renderTemplate } from "../text/template.ts";

/** `weft info`. */
export function infoCommand(command: Command, context: Context): void {
  addFormatOption(command).action(async ({ format }: { readonly format?: string }) => {
    const parts = format === undefined || format === "json" ? undefined : parseTemplate(format);
    const info = await (await context.client()).info();
    if (parts !== undefined) await context.print(`${renderTemplate(parts, info)}\n`);
    else await context.print(format === "json" ? `${JSON.stringify(info)}\n` : fieldLines("Daemon", info));
  });
}
