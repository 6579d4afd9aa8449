import type { Command } from "commander";
import type { Event, Filters } from "../../api/index.ts";
import type { Context } from "../context.ts";
import { addFormatOption } from "../options/format-option.ts";
import { collectFilters } from "../options/key-values.ts";
import { timeText } from "../options/times.ts";
import { printable } from "../text/printable.ts";
import { parseTemplate, renderTemplate } from "../text/template.ts";

interface EventsOptions {
  readonly since?: string;
  readonly until?: string;
  readonly filter?: Filters;
  readonly format?: string;
}

/** `weft events`. */
export function eventsCommand(command: Command, context: Context): void {
  addFormatOption(command, "--format <format>")
    .option(
      "--since <time>",
      "those after it, and go on: RFC 3339, seconds since 1970, 10m (ago), or an event's id",
    )
    .option("--until <time>", "end there: a time as for --since")
    .option(
      "-f, --filter <key=value>",
      "only those that match: type=, event=, network=, sandbox=, label=",
      collectFilters,
    )
    .action(async (options: EventsOptions) => {
      const render = rendererOf(options.format);
      const client = await context.client();
      const now = context.surroundings.now();
      const events = client.events({
        since: options.since === undefined ? undefined : timeText(options.since, now),
        until: options.until === undefined ? undefined : timeText(options.until, now),
        filters: options.filter ?? {},
      });
      for await (const event of events) await context.print(`${render(event)}\n`);
    });
}

function rendererOf(format: string | undefined): (event: Event) => string {
  if (format === undefined || format === "") return lineOf;
  if (format === "json") return (event) => JSON.stringify(event);
  const parts = parseTemplate(format);
  return (event) => renderTemplate(parts, event);
}

/** As Docker's: time, type, action, id, and what else is known in parentheses. */
function lineOf({ Time, Type, Action, Actor }: Event): string {
  const words = Object.entries({ ...Actor.Attributes, ...(Actor.Name !== "" && { name: Actor.Name }) });
  const attributes = words.map(([key, value]) => `${key}=${value}`).sort();
  const suffix = attributes.length === 0 ? "" : ` (${attributes.join(", ")})`;
  return printable(`${Time} ${Type} ${Action}${Actor.Id === "" ? "" : ` ${Actor.Id}`}${suffix}`);
}
