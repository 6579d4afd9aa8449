import type { Entry } from "../../api/index.ts";
import { startFailureNumber } from "../../core/errors.ts";
import type { Context } from "../context.ts";
import { ExitError, lineOf } from "../failures.ts";
import { signalStatus } from "../signal-status.ts";
import { follow } from "./follow.ts";
import { ownIdentity } from "./identities.ts";
import { needRoot } from "./need-root.ts";
import { runStartOf, variablesOf } from "./run-in-foreground.ts";
import { type RuntimeDoor, runtimeDoor, type StartBasics, type StartedCommand } from "./runtime-door.ts";
import { SignalRelay } from "./signal-relay.ts";
import { type Streams, streamsFor } from "./streams.ts";

/** What is to be run in a sandbox, and how. */
export interface ExecRequest {
  readonly args: readonly string[];
  readonly interactive: boolean;
  readonly tty: boolean;
  /** `NAME=value` */
  readonly environment: readonly string[];
  readonly workdir: string | undefined;
  readonly user: string | undefined;
  readonly privileged: boolean;
}

/** `weft exec`. Throws ExitError with every status but 0. */
export async function execInForeground(
  context: Context,
  sandbox: string,
  request: ExecRequest,
): Promise<void> {
  const instead = "run it as root; only what weft run -d starts is started by the daemon";
  needRoot(context.surroundings, "weft exec enters the sandbox's namespaces", instead);
  const streams = streamsFor(request, context);
  const runtime = await (context.surroundings.runtime ?? runtimeDoor)();
  const client = await context.client();
  const relay = new SignalRelay();
  const launcher = new runtime.Launcher();
  try {
    const found = await client.sandbox(sandbox);
    if (found.Config.Command !== undefined && !found.State.Running) throw notRunning(sandbox);
    const [entry] = await Promise.all([client.enterSandbox(found.Id), launcher.start()]);
    // It was made, and its command is still to begin: then there is nothing to be beside.
    if (entry.Command !== undefined && entry.Process === undefined) throw notRunning(sandbox);
    const command = await startIn(entry, launcher, {
      ...startOf(request, streams, entry),
      beforeStart: async () => relay.hold(),
      signal: relay.signal,
    });
    const status = await follow(command, relay, request, context, runtime);
    if (status !== 0) throw new ExitError(status);
  } catch (error) {
    if (error instanceof ExitError) throw error;
    const { gaveUp } = relay;
    if (gaveUp !== undefined) throw new ExitError(signalStatus(gaveUp));
    throw new ExitError(startFailureNumber(error), lineOf(error), { cause: error });
  } finally {
    await launcher.close();
    relay.close();
  }
}

function notRunning(sandbox: string): ExitError {
  return new ExitError(125, `sandbox ${sandbox} is not running`);
}

/** Beside the sandbox's command; in its network and with its files where it has none. */
function startIn(
  entry: Entry,
  launcher: InstanceType<RuntimeDoor["Launcher"]>,
  start: StartBasics,
): Promise<StartedCommand> {
  if (entry.Process !== undefined) return launcher.exec(ownIdentity(entry.Process), start);
  return launcher.run({ ...runStartOf(entry, { environment: {} }), ...start });
}

/** What is not said is as with the sandbox's own command, as Docker has it. */
function startOf(request: ExecRequest, streams: Streams, { Command }: Entry): Omit<StartBasics, "signal"> {
  const user = request.user ?? (Command?.User === "" ? undefined : Command?.User);
  const cwd = request.workdir ?? (Command?.WorkingDir === "" ? undefined : Command?.WorkingDir);
  const variables = variablesOf([...(Command?.Env ?? []), ...request.environment]);
  return {
    command: request.args,
    ...streams,
    environment: { ...streams.environment, ...variables },
    ...(user !== undefined && { user }),
    ...(cwd !== undefined && { cwd }),
    ...(request.privileged && { privileged: true }),
  };
}
