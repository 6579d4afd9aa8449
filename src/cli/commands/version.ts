import type { Command } from "commander";
import { isWeftError } from "../../core/errors.ts";
import type { Context } from "../context.ts";
import { ExitError, lineOf } from "../failures.ts";
import { addFormatOption } from "../options/format-option.ts";
import { ownVersion } from "../own-version.ts";
import { fieldLines } from "../text/field-lines.ts";

/** `weft version`. */
export function versionCommand(command: Command, context: Context): void {
  addFormatOption(command).action(async ({ format }: { readonly format?: string }) => {
    const render = format === undefined || format === "json" ? undefined : await rendererOf(format);
    const client = {
      Version: ownVersion(),
      ApiVersion: "1",
      NodeVersion: process.version,
      Arch: process.arch,
    };
    const server = await serverVersion(context);
    const both = { Client: client, ...(server.version !== undefined && { Server: server.version }) };
    if (render !== undefined) await context.print(`${render(both)}\n`);
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

/** Of a template, whose code is loaded only for one: this command is to answer at once. */
async function rendererOf(format: string): Promise<(object: unknown) => string> {
  const { parseTemplate, renderTemplate } = await import("../text/template.ts");
  const parts = parseTemplate(format);
  return (object) => renderTemplate(parts, object);
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
