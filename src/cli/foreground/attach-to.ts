import type { Readable, Writable } from "node:stream";
import { ReadStream } from "node:tty";
import type { WeftClient } from "../../api/client/index.ts";
import type { Sandbox } from "../../api/index.ts";
import { isWeftError } from "../../core/errors.ts";
import type { Context } from "../context.ts";
import { ExitError } from "../failures.ts";
import { write } from "../surroundings.ts";
import { DetachKeys, detachSequence } from "./detach-keys.ts";
import { ownIdentity } from "./identities.ts";
import { runtimeDoor } from "./runtime-door.ts";
import { SignalRelay } from "./signal-relay.ts";

/** How to attach. */
export interface AttachOptions {
  /** Whether what is typed is passed on. */
  readonly input: boolean;
  readonly detachKeys: string | undefined;
}

/** `weft attach`: prints what a command in the background prints from now on, and passes on what is typed. */
export async function attach(context: Context, name: string, options: AttachOptions): Promise<void> {
  const sequence = detachSequence(options.detachKeys);
  const client = await context.client();
  const sandbox = await client.sandbox(name);
  if (!sandbox.State.Running)
    throw new ExitError(1, `cannot attach to a stopped sandbox: start ${name} first`);
  const input = options.input ? await inputOf(sandbox, client, context) : undefined;
  const left = new AbortController();
  const typing = input === undefined ? undefined : passOn(context.surroundings.stdin, input, sequence, left);
  const relay = new SignalRelay();
  relay.to(
    (signal) => void client.killSandbox(sandbox.Id, { signal }).catch((error) => context.complain(error)),
  );
  try {
    const chunks = client.logs(sandbox.Id, { tail: 0, follow: true, signal: left.signal });
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

/** The terminal or the pipe that the command reads from; undefined when it reads from nothing. */
async function inputOf(
  { Id, Config }: Sandbox,
  client: WeftClient,
  context: Context,
): Promise<Input | undefined> {
  if (Config.Command?.OpenStdin !== true) return undefined;
  const runtime = await (context.surroundings.runtime ?? runtimeDoor)();
  const { Process, Stdin } = await client.enterSandbox(Id);
  if (Config.Command.Tty && Process !== undefined) {
    const terminal = runtime.Terminal.of(ownIdentity(Process));
    const { size } = context.surroundings.terminals();
    terminal.resize(size.columns, size.rows);
    return { writable: terminal.input, isTerminal: true, close: () => terminal.close() };
  }
  if (Stdin === undefined) return undefined;
  const writable = runtime.openInput(Stdin);
  return { writable, isTerminal: false, close: () => writable.destroy() };
}

/** Passes on what is typed until the keys that detach are. */
function passOn(
  stdin: Readable,
  input: Input,
  sequence: Uint8Array,
  left: AbortController,
): { close: () => void } {
  const terminal = stdin instanceof ReadStream ? stdin : undefined;
  const keys = new DetachKeys(sequence);
  const raw = terminal !== undefined && input.isTerminal;
  if (raw) terminal.setRawMode(true);
  const hear = (chunk: Uint8Array) => {
    const { passed, detached } =
      terminal === undefined ? { passed: chunk, detached: false } : keys.read(chunk);
    stdin.pause();
    // A command that has ended reads nothing more; its end is told by what it printed.
    void write(input.writable, passed).then(
      () => (detached ? left.abort(new Error("detached")) : stdin.resume()),
      () => {},
    );
  };
  stdin.on("data", hear);
  return {
    close: () => {
      stdin.off("data", hear);
      stdin.pause();
      if (raw) terminal.setRawMode(false);
    },
  };
}
