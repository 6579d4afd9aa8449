import type { SandboxSummary } from "../../api/index.ts";
import { idText, labelsText } from "./cells.ts";
import { spokenDuration } from "./durations.ts";
import type { Listing } from "./listing.ts";
import { printable, shorten } from "./printable.ts";

const shownOfCommand = 20;

/** How `weft ps` lists sandboxes. */
export const sandboxListing: Listing<SandboxSummary> = {
  columns: [
    { name: "ID", header: "SANDBOX ID", value: ({ Id }, { whole }) => idText(Id, whole) },
    { name: "Command", header: "COMMAND", value: ({ Command }, { whole }) => quoted(Command, whole) },
    { name: "CreatedAt", header: "CREATED AT", value: ({ Created }) => Created },
    { name: "RunningFor", header: "CREATED", value: ({ Created }, { now }) => ago(Created, now) },
    { name: "Status", header: "STATUS", value: ({ Status }) => Status },
    { name: "State", header: "STATE", value: ({ State }) => State },
    { name: "Ports", header: "PORTS", value: ({ Ports }) => Ports },
    { name: "Names", header: "NAMES", value: ({ Name }) => Name },
    { name: "Labels", header: "LABELS", value: ({ Labels }) => labelsText(Labels) },
    { name: "Networks", header: "NETWORKS", value: ({ Networks }) => Networks.join(",") },
    { name: "IPAddresses", header: "IP ADDRESSES", value: ({ IPAddresses }) => IPAddresses.join(",") },
  ],
  shown: ["ID", "Command", "RunningFor", "Status", "Ports", "Names"],
  id: ({ Id }, { whole }) => idText(Id, whole),
};

/** In quotes, as Docker has it: an empty one is seen too. */
function quoted(command: string, whole: boolean): string {
  const text = whole ? command : shorten(command, shownOfCommand);
  return `"${printable(text.replaceAll(/["\\]/g, "\\$&"))}"`;
}

function ago(time: string, now: number): string {
  return `${spokenDuration(now - Date.parse(time))} ago`;
}
