import { Writable } from "node:stream";
import type { Command } from "commander";
import type { Plan } from "../../api/index.ts";
import type { Context } from "../context.ts";
import { UsageError } from "../failures.ts";
import { addFormatOption } from "../options/format-option.ts";
import { isPlannable } from "../plannable.ts";
import { PlannedChanges } from "../planned-changes.ts";
import { perform } from "../program.ts";
import { type Listing, listingRenderer } from "../text/listing.ts";
import { commandPath } from "../weft-command.ts";

const listing: Listing<Plan["Steps"][number]> = {
  columns: [
    { name: "Step", header: "STEP", value: ({ Step }) => Step },
    { name: "Object", header: "OBJECT", value: (step) => step.Object },
    {
      name: "Value",
      header: "VALUE",
      value: ({ Value }) => (Value === undefined ? "" : JSON.stringify(Value)),
    },
  ],
  shown: ["Step", "Object", "Value"],
};

/** `weft plan COMMAND…`. */
export function planCommand(command: Command, context: Context): void {
  addFormatOption(command)
    .usage("[options] COMMAND [ARG…]")
    .argument("<command...>", "a command of weft that changes something, with its options")
    .passThroughOptions()
    .addHelpText("after", examples)
    .action(async (args: readonly string[], options: { readonly format?: string }) => {
      const render = listingRenderer(listing, options);
      const steps = await stepsOf(args, context);
      if (steps.length > 0 || options.format !== undefined) await context.print(render(steps, 0));
      else await context.print("Nothing in the kernel would change.\n");
    });
}

const examples = `
Examples:
  weft plan network create --subnet 10.7.0.0/24 web
  weft plan run --network web -p 8080:80 busybox httpd -f
  weft plan network rm web`;

async function stepsOf(args: readonly string[], context: Context): Promise<Plan["Steps"]> {
  const planned = new PlannedChanges(await context.client());
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  await perform(args, context.forPlanning(planned, nowhere), (command) => {
    if (!isPlannable(command))
      throw new UsageError(`nothing to plan: ${commandPath(command)} changes no network`);
  });
  return planned.steps;
}
