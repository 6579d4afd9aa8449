import type { Command } from "commander";
import type { Context } from "../context.ts";
import { count } from "../options/numbers.ts";
import { markPlannable } from "../plannable.ts";

/** `weft start`. */
export function startCommand(command: Command, context: Context): void {
  changeEach(command, context, async (sandbox) => (await context.changes()).startSandbox(sandbox));
}

interface TimeOptions {
  readonly time?: number;
}

/** `weft stop`. */
export function stopCommand(command: Command, context: Context): void {
  changeEach<TimeOptions>(command, context, async (sandbox, { time }) =>
    (await context.changes()).stopSandbox(sandbox, { timeout: time }),
  ).option("-t, --time <seconds>", "how long to wait before SIGKILL; the sandbox's own without", count);
}

/** `weft restart`. */
export function restartCommand(command: Command, context: Context): void {
  changeEach<TimeOptions>(command, context, async (sandbox, { time }) =>
    (await context.changes()).restartSandbox(sandbox, { timeout: time }),
  ).option("-t, --time <seconds>", "how long to wait before SIGKILL; the sandbox's own without", count);
}

/** `weft kill`. */
export function killCommand(command: Command, context: Context): void {
  changeEach<{ readonly signal?: string }>(command, context, async (sandbox, { signal = "SIGKILL" }) =>
    (await context.changes()).killSandbox(sandbox, { signal }),
  ).option("-s, --signal <signal>", "its name or number; SIGKILL without");
}

/** `weft rm`, `weft sandbox rm`. */
export function rmCommand(command: Command, context: Context): void {
  changeEach<{ readonly force?: boolean }>(command, context, async (sandbox, { force = false }) =>
    (await context.changes()).removeSandbox(sandbox, { force }),
  ).option("-f, --force", "those whose command runs, too: it is killed");
}

/** `weft wait`. */
export function waitCommand(command: Command, context: Context): void {
  command.argument("<sandbox...>", "names or ids").action(async (names: readonly string[]) => {
    const client = await context.client();
    await context.each(names, async (name) => {
      const { StatusCode } = await client.waitSandbox(name);
      await context.print(`${StatusCode ?? "unknown"}\n`);
    });
  });
}

/** A command that does one thing to each sandbox it is given, and prints those it did it to. */
function changeEach<Options>(
  command: Command,
  context: Context,
  change: (sandbox: string, options: Options) => Promise<void>,
): Command {
  return markPlannable(command)
    .argument("<sandbox...>", "names or ids")
    .action((names: readonly string[], options: Options) =>
      context.each(names, async (name) => {
        await change(name, options);
        await context.print(`${name}\n`);
      }),
    );
}
