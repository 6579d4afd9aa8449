import type { KeysAnswer } from "./gossip-control.ts";
import type { MemberLine, TableLine } from "./gossip-layer.ts";
import { labelsText } from "./text/cells.ts";
import type { Listing } from "./text/listing.ts";

/** The members, with the columns of `serf members`. */
export const memberListing: Listing<MemberLine> = {
  columns: [
    { name: "Name", header: "NAME", value: ({ Name }) => Name },
    { name: "Address", header: "ADDRESS", value: ({ Address }) => Address },
    { name: "Status", header: "STATUS", value: ({ Status }) => Status },
    { name: "Tags", header: "TAGS", value: ({ Tags }) => labelsText(Tags) },
  ],
  shown: ["Name", "Address", "Status", "Tags"],
};

/** The entries of the network database's tables. */
export const tableListing: Listing<TableLine> = {
  columns: [
    { name: "Network", header: "NETWORK", value: ({ Network }) => Network },
    { name: "Table", header: "TABLE", value: ({ Table }) => Table },
    { name: "Key", header: "KEY", value: ({ Key }) => Key },
    { name: "Owner", header: "OWNER", value: ({ Owner }) => Owner },
    { name: "Value", header: "VALUE", value: ({ Value }) => Value },
  ],
  shown: ["Network", "Table", "Key", "Owner", "Value"],
};

/** How many members answered, each key with how many have it, and who failed; a line each. */
export function keyLines({ Members, Answered, Keys, Primaries, Failures }: KeysAnswer): string {
  const lines = [`${Answered} of ${Members} members answered`];
  for (const [key, count] of Object.entries(Keys)) {
    const primary = Primaries[key];
    lines.push(`${key}  [${count}/${Members}]${primary === undefined ? "" : `  primary of ${primary}`}`);
  }
  for (const [node, why] of Object.entries(Failures)) lines.push(`${node} failed: ${why}`);
  return lines.map((line) => `${line}\n`).join("");
}
