import type { Context } from "../context.ts";
import type { RuntimeDoor, StartedCommand } from "./runtime-door.ts";
import type { SignalRelay } from "./signal-relay.ts";
import { connectTerminal, type StreamWishes } from "./streams.ts";

/** What nobody can know is told as weft's own failure. */
const unknown = 125;

/** Stands for a command that runs: passes on signals and what is typed. Resolves with its exit status. */
export async function follow(
  command: StartedCommand,
  relay: SignalRelay,
  wishes: StreamWishes,
  context: Context,
  runtime: RuntimeDoor,
): Promise<number> {
  relay.to((signal) => command.kill(signal));
  const printed =
    command.terminal === undefined ? undefined : connectTerminal(command.terminal, wishes, context);
  const [end] = await Promise.all([command.exited, printed]);
  return runtime.exitNumber(end) ?? unknown;
}
