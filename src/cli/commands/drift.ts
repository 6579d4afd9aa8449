import type { Command } from "commander";
import type { DriftItem, RepairReport } from "../../api/index.ts";
import type { Context } from "../context.ts";
import { ExitError, UsageError } from "../failures.ts";
import { addFormatOption } from "../options/format-option.ts";
import { type Listing, listingRenderer } from "../text/listing.ts";

const listing: Listing<DriftItem> = {
  columns: [
    { name: "Drift", header: "DRIFT", value: ({ Drift }) => Drift },
    { name: "Object", header: "OBJECT", value: (item) => item.Object },
    { name: "Wanted", header: "WANTED", value: ({ Wanted }) => valueText(Wanted) },
    { name: "Found", header: "FOUND", value: ({ Found }) => valueText(Found) },
  ],
  shown: ["Drift", "Object", "Wanted", "Found"],
};

function valueText(value: unknown): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

interface DriftOptions {
  readonly repair?: boolean;
  readonly format?: string;
}

/** `weft drift`. */
export function driftCommand(command: Command, context: Context): void {
  addFormatOption(command)
    .option("--repair", "make the host what it should be")
    .addHelpText("after", "\nThe exit status is 1 when something differs, or could not be mended.")
    .action((options: DriftOptions) =>
      options.repair === true ? repair(context, options) : show(context, options),
    );
}

async function show(context: Context, options: DriftOptions): Promise<void> {
  const render = listingRenderer(listing, options);
  const items = await (await context.client()).drift();
  if (items.length > 0 || options.format !== undefined) await context.print(render(items, 0));
  if (items.length > 0) throw new ExitError(1);
}

async function repair(context: Context, { format }: DriftOptions): Promise<void> {
  if (format !== undefined && format !== "json") {
    throw new UsageError(`invalid --format ${JSON.stringify(format)}: with --repair it should be json`);
  }
  const report = await (await context.client()).repair();
  await context.print(format === "json" ? `${JSON.stringify(report)}\n` : linesOf(report));
  for (const { What, Error: why } of report.Unmended) await context.complain(`cannot mend ${What}: ${why}`);
  if (report.Unmended.length > 0) throw new ExitError(1);
}

function linesOf({ Mended }: RepairReport): string {
  return Mended.map((what) => `mended ${what}\n`).join("");
}
