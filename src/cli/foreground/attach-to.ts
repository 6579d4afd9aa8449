import type { Writable } from "node:stream";
import type { WeftClient } from "../../api/client/index.ts";
import type { Sandbox } from "../../api/index.ts";
import { isWeftError } from "../../core/errors.ts";
import type { Context } from "../context.ts";
import { ExitError } from "../failures.ts";
import { detachSequence } from "./detach-keys.ts";
import { ownIdentity } from "./identities.ts";
import { needRoot } from "./need-root.ts";
import { runtimeDoor } from "./runtime-door.ts";
import { SignalRelay } from "./signal-relay.ts";
import { followSize } from "./streams.ts";
import { Typing } from "./typing.ts";

/** How to attach. */
export interface AttachOptions {
  /** Whether what is typed is passed on. */
  readonly input: boolean;
  readonly detachKeys: string | undefined;
}

/**
 * `weft attach`: prints what a command in the background prints from now on, and passes on what is typed. Signals
 * reach a command without a terminal; from one with a terminal they detach, as its keys say what is meant for it.
 */
export async function attach(context: Context, name: string, options: AttachOptions): Promise<void> {
  const sequence = detachSequence(options.detachKeys);
  const client = await context.client();
  const sandbox = await client.sandbox(name);
  if (!sandbox.State.Running)
    throw new ExitError(1, `cannot attach to a stopped sandbox: start ${name} first`);
  const input = options.input ? await inputWhileItRuns(sandbox, client, context) : undefined;
  const left = new AbortController();
  const detach = () => left.abort(new Error("detached"));
  const typing =
    input === undefined ? undefined : new Typing(context.surroundings.stdin, input, { sequence, detach });
  const relay = new SignalRelay();
  relay.to((signal) => {
    if (sandbox.Config.Command?.Tty === true) return detach();
    void client.killSandbox(sandbox.Id, { signal }).catch((error) => context.complain(error));
  });
  try {
    // What is typed waits until the log is read: its answer would be missed.
    const onBegun = () => typing?.start();
    const chunks = client.logs(sandbox.Id, { tail: 0, follow: true, onBegun, signal: left.signal });
    for await (const chunk of chunks) await context.print(chunk);
    const { StatusCode } = await client.waitSandbox(sandbox.Id, left.signal);
    if (StatusCode === null) throw new ExitError(1, `the command of ${name} has ended; how is not known`);
    if (StatusCode !== 0) throw new ExitError(StatusCode);
  } catch (error) {
    if (!left.signal.aborted || !isWeftError(error, "ABORTED")) throw error;
  } finally {
    relay.close();
    typing?.close();
    input?.close();
  }
}

/** Where what is typed goes to. */
interface Input {
  readonly writable: Writable;
  readonly isTerminal: boolean;
  readonly close: () => void;
}

/** Undefined also when the command has ended meanwhile: how it did is still told. */
async function inputWhileItRuns(
  sandbox: Sandbox,
  client: WeftClient,
  context: Context,
): Promise<Input | undefined> {
  try {
    return await inputOf(sandbox, client, context);
  } catch (error) {
    if (isWeftError(error, "COMMAND_ENDED") || isWeftError(error, "SANDBOX_NOT_RUNNING")) return undefined;
    throw error;
  }
}

/** The terminal or the pipe that the command reads from; undefined when it reads from nothing. */
async function inputOf(
  { Id, Config }: Sandbox,
  client: WeftClient,
  context: Context,
): Promise<Input | undefined> {
  if (Config.Command?.OpenStdin !== true) return undefined;
  needRoot(
    context.surroundings,
    "weft attach opens what the command reads from",
    "run it as root, or with --no-stdin",
  );
  const runtime = await (context.surroundings.runtime ?? runtimeDoor)();
  const { Process, Stdin } = await client.enterSandbox(Id);
  if (Config.Command.Tty && Process !== undefined) {
    const terminal = runtime.Terminal.of(ownIdentity(Process));
    const unfollow = followSize(terminal, context);
    const close = () => {
      unfollow();
      terminal.close();
    };
    return { writable: terminal.input, isTerminal: true, close };
  }
  if (Stdin === undefined) return undefined;
  const writable = runtime.openInput(Stdin);
  return { writable, isTerminal: false, close: () => writable.destroy() };
}
