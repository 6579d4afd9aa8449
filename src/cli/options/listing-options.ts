import type { Command } from "commander";
import type { Filters } from "../../api/index.ts";
import type { ListingOptions } from "../text/listing.ts";
import { collectFilters } from "./key-values.ts";

/** What every listing's action is given. */
export interface ListOptions extends ListingOptions {
  readonly filter?: Filters;
}

/** The options that every listing has. */
export function addListingOptions(command: Command, filters: string): Command {
  command.option("-f, --filter <key=value>", `only those that match: ${filters}`, collectFilters);
  command.option("--format <format>", "json, or text with {{.Field}} and {{json .}}; table {{.A}}\\t{{.B}}");
  return command.option("-q, --quiet", "only ids").option("--no-trunc", "print everything in full");
}
