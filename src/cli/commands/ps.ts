import type { Command } from "commander";
import type { Context } from "../context.ts";
import { addListingOptions, type ListOptions } from "../options/listing-options.ts";
import { listingRenderer } from "../text/listing.ts";
import { sandboxListing } from "../text/sandbox-listing.ts";

/** `weft ps`. */
export function psCommand(command: Command, context: Context): void {
  sandboxListCommand(command, context, false);
}

/** `weft ps`, which lists what runs, and `weft sandbox ls`, which lists all. */
export function sandboxListCommand(command: Command, context: Context, all: boolean): void {
  addListingOptions(command, "name=, id=, label=, status=, network=, exited=, publish=, expose=");
  if (!all) command.option("-a, --all", "those that do not run, too");
  command.action(async (options: ListOptions & { readonly all?: boolean }) => {
    const render = listingRenderer(sandboxListing, options);
    const client = await context.client();
    const sandboxes = await client.sandboxes(options.filter ?? {}, { all: all || options.all === true });
    await context.print(render(sandboxes, context.surroundings.now()));
  });
}
