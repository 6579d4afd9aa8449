import type { Command } from "commander";
import type { Finding } from "../../api/index.ts";
import { isWeftError } from "../../core/errors.ts";
import type { Context } from "../context.ts";
import { daemonDoor } from "../daemon-door.ts";
import { ExitError } from "../failures.ts";
import { addFormatOption } from "../options/format-option.ts";
import { type Listing, listingRenderer } from "../text/listing.ts";

const listing: Listing<Finding> = {
  columns: [
    { name: "Check", header: "CHECK", value: ({ Check }) => Check },
    { name: "Level", header: "LEVEL", value: ({ Level }) => Level },
    { name: "Found", header: "FOUND", value: ({ Found }) => Found },
    { name: "Advice", header: "ADVICE", value: ({ Advice }) => Advice },
  ],
  shown: ["Check", "Level", "Found", "Advice"],
};

interface DoctorOptions {
  readonly format?: string;
}

/** `weft doctor`. */
export function doctorCommand(command: Command, context: Context): void {
  addFormatOption(command)
    .addHelpText("after", "\nThe exit status is 1 when there is a problem. It needs no daemon to run.")
    .action(async (options: DoctorOptions) => {
      const render = listingRenderer(listing, options);
      const findings = await findingsOf(context);
      await context.print(render(findings, 0));
      if (findings.some(({ Level }) => Level === "problem")) throw new ExitError(1);
    });
}

/** The daemon's, or, as it may be the daemon's not starting that is looked into, this program's own. */
async function findingsOf(context: Context): Promise<readonly Finding[]> {
  try {
    return await (await context.client()).doctor();
  } catch (error) {
    if (!isWeftError(error, "DAEMON_UNREACHABLE")) throw error;
    return (await daemonDoor()).examineHost();
  }
}
