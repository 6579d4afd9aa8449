import type { Command } from "commander";
import { isWeftError } from "../../core/errors.ts";
import type { Context } from "../context.ts";
import { ExitError, lineOf } from "../failures.ts";
import { addFormatOption } from "../options/listing-options.ts";
import { ownVersion } from "../own-version.ts";
import { fieldLines } from "../text/field-lines.ts";
import { parseTemplate, renderTemplate } from "../text/template.ts";

/** `weft version`. */
export function versionCommand(command: Command, context: Context): void {
  addFormatOption(command).action(async ({ format }: { readonly format?: string }) => {
    const parts = format === undefined || format === "json" ? undefined : parseTemplate(format);
    const client = {
      Version: ownVersion(),
      ApiVersion: "1",
      NodeVersion: process.version,
      Arch: process.arch,
    };
    const server = await serverVersion(context);
    const both = { Client: client, ...(server.version !== undefined && { Server: server.version }) };
    if (parts !== undefined) await context.print(`${renderTemplate(parts, both)}\n`);
    else if (format === "json") await context.print(`${JSON.stringify(both)}\n`);
    else
      await context.print(
        Object.entries(both)
          .map(([name, fields]) => fieldLines(name, fields))
          .join("\n"),
      );
    if (server.error !== undefined) throw new ExitError(1, lineOf(server.error));
  });
}

/** The daemon's; the client's own is told also when no daemon answers. */
async function serverVersion(context: Context) {
  try {
    return { version: await (await context.client()).version() };
  } catch (error) {
    if (isWeftError(error)) return { error };
    throw error;
  }
}
