import type { Command } from "commander";
import type { Network } from "../../api/index.ts";
import type { Context } from "../context.ts";
import { addListingOptions, type ListOptions } from "../options/listing-options.ts";
import { idText, labelsText } from "../text/cells.ts";
import { type Listing, listingRenderer } from "../text/listing.ts";

const listing: Listing<Network> = {
  columns: [
    { name: "ID", header: "NETWORK ID", value: (network, { whole }) => idText(network.Id, whole) },
    { name: "Name", header: "NAME", value: ({ Name }) => Name },
    { name: "Driver", header: "DRIVER", value: ({ Driver }) => Driver },
    { name: "Scope", header: "SCOPE", value: ({ Scope }) => Scope },
    { name: "IPv4", header: "IPV4", value: ({ EnableIPv4 }) => String(EnableIPv4) },
    { name: "IPv6", header: "IPV6", value: ({ EnableIPv6 }) => String(EnableIPv6) },
    { name: "Internal", header: "INTERNAL", value: ({ Internal }) => String(Internal) },
    { name: "Labels", header: "LABELS", value: ({ Labels }) => labelsText(Labels) },
    { name: "CreatedAt", header: "CREATED AT", value: ({ Created }) => Created },
  ],
  shown: ["ID", "Name", "Driver", "Scope"],
  id: (network, { whole }) => idText(network.Id, whole),
};

/** `weft network ls`. */
export function networkListCommand(command: Command, context: Context): void {
  addListingOptions(command, "name=, id=, driver=, type=, label=, scope=, dangling=")
    .description("List networks")
    .action(async (options: ListOptions) => {
      const render = listingRenderer(listing, options);
      const networks = await (await context.client()).networks(options.filter ?? {});
      await context.print(render(networks, context.surroundings.now()));
    });
}
