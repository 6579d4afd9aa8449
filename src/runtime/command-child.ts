import { type ChildProcess, spawn } from "node:child_process";
import { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { WeftError } from "../core/index.ts";
import type { ExitStatus } from "./command.ts";
import { failureIn, type StartFailure } from "./init-protocol.ts";
import { inNewPidNamespace } from "./pid-namespace.ts";
import { identityOf, type ProcessIdentity } from "./process-identity.ts";
import { wouldEnd } from "./signal-effect.ts";
import type { RunRequest } from "./thread-protocol.ts";

const initFile = fileURLToPath(new URL("./sandbox-init.js", import.meta.url));

/** A command of the launcher thread, from before it has started until it has been reaped. */
export class CommandChild {
  readonly #child: ChildProcess;
  /** The signal for which SIGKILL had to stand in. */
  #meant: NodeJS.Signals | undefined;
  /** Settles when the signals so far have been sent: in their order, though each takes a look first. */
  #signals: Promise<void> = Promise.resolve();
  readonly identity: ProcessIdentity;
  /** Resolves when the command has ended, and with it every process of its PID namespace. */
  readonly exited: Promise<ExitStatus>;
  /** Resolves when the command runs, or with the reason for which it never will; it has ended then. */
  readonly started: Promise<StartFailure | undefined>;

  /** Spawns the process that becomes the command. Throws KernelError, LAUNCH. */
  constructor(request: RunRequest) {
    const child = inNewPidNamespace(() => spawnInit(request));
    const control = child.stdio[3];
    // No listener would make the "error" that a failed spawn emits later an uncaught one.
    child.on("error", () => {});
    if (child.pid === undefined || !(control instanceof Socket)) {
      throw new WeftError("LAUNCH", `cannot start ${process.execPath}`);
    }
    this.#child = child;
    this.identity = identityOf(child.pid);
    this.exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => resolve(this.#statusOf(code, signal)));
    });
    this.started = this.#converse(control, JSON.stringify(request.order));
  }

  /** Sends `signal` with the effect that it has on ordinary processes; see SandboxProcess.kill. */
  signal(signal: NodeJS.Signals): void {
    if (signal === "SIGKILL") this.#child.kill(signal);
    else this.#signals = this.#signals.then(() => this.#send(signal));
  }

  async #send(signal: NodeJS.Signals): Promise<void> {
    const ends = !this.#hasEnded() && (await wouldEnd(this.identity.pid, signal));
    if (this.#hasEnded()) return;
    if (ends) this.#meant = signal;
    this.#child.kill(ends ? "SIGKILL" : signal);
  }

  #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  #statusOf(code: number | null, signal: NodeJS.Signals | null): ExitStatus {
    return { code, signal: signal === "SIGKILL" ? (this.#meant ?? signal) : signal };
  }

  async #converse(control: Socket, order: string): Promise<StartFailure | undefined> {
    const failure = failureIn(await exchange(control, order));
    if (failure !== undefined) await this.exited;
    return failure;
  }
}

function spawnInit(request: RunRequest): ChildProcess {
  const libraries = process.env.LD_LIBRARY_PATH;
  return spawn(process.execPath, [initFile], {
    // V8's flags are left alone: any of them costs the code cache of Node's own start, some 8 ms.
    stdio: [...request.stdio, "pipe"],
    detached: request.ownSession,
    cwd: "/",
    // None of the caller's: NODE_OPTIONS would act on the init. The command's own is in the order.
    env: libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries },
  });
}

/** Sends `order`, and gives all that is answered until the other end is closed. */
function exchange(control: Socket, order: string): Promise<string> {
  return new Promise((resolve) => {
    let answers = "";
    control.setEncoding("utf8");
    control.on("data", (text: string) => {
      answers += text;
    });
    // EPIPE and ECONNRESET: the child died early, which the missing answer tells.
    control.on("error", () => {});
    control.once("close", () => resolve(answers));
    control.end(order);
  });
}
