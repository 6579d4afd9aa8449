import { type ChildProcess, spawn } from "node:child_process";
import { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { WeftError } from "../core/index.ts";
import type { ExitStatus } from "./command.ts";
import { answersIn, failureIn, goAhead, type InitOrder, type StartFailure } from "./init-protocol.ts";
import { inNewPidNamespace, inPidNamespaceOf } from "./pid-namespace.ts";
import { identityOf, type ProcessIdentity } from "./process-identity.ts";
import { wouldEnd } from "./signal-effect.ts";
import { signalName } from "./signals.ts";
import type { ChildFd, RunRequest } from "./thread-protocol.ts";

const initFile = fileURLToPath(new URL("./sandbox-init.js", import.meta.url));

/** A command of the launcher thread, from before it has started until it has been reaped. */
export class CommandChild {
  readonly #child: ChildProcess;
  readonly #control: Socket;
  /** The signal for which SIGKILL had to stand in. */
  #meant: number | undefined;
  /** Settles when the signals so far have been sent: in their order, though each takes a look first. */
  #signals: Promise<void> = Promise.resolve();
  readonly identity: ProcessIdentity;
  /** Resolves when the command has ended, and with it every process of its PID namespace if it was the first there. */
  readonly exited: Promise<ExitStatus>;

  private constructor(child: ChildProcess) {
    const control = child.stdio[3];
    // No listener would make the "error" that a failed spawn emits later an uncaught one.
    child.on("error", () => {});
    if (child.pid === undefined || !(control instanceof Socket)) {
      throw new WeftError("LAUNCH", `cannot start ${process.execPath}`);
    }
    this.#child = child;
    this.#control = control;
    this.identity = identityOf(child.pid);
    this.exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => resolve(this.#statusOf(code, signal)));
    });
  }

  /** Spawns the process that becomes the command that `request` is about. Throws KernelError, LAUNCH. */
  static spawn({ stdio, ownSession, join }: RunRequest): CommandChild {
    if (join === undefined) return new CommandChild(inNewPidNamespace(() => spawnInit(stdio, ownSession)));
    return new CommandChild(inPidNamespaceOf(join, () => spawnInit(stdio, ownSession, join)));
  }

  /**
   * Spawns a process, pid 1 of a new PID namespace and leader of a session, that waits for its order. It takes
   * the streams that the order names from this process, which `self` is a pidfd of. Throws KernelError, LAUNCH.
   */
  static spawnAhead(self: number): CommandChild {
    const nothing = ["ignore", "ignore", "ignore"] as const;
    return new CommandChild(inNewPidNamespace(() => spawnInit(nothing, true, self)));
  }

  /**
   * Gives the process its order. Resolves when the command runs, or with the reason for which it never will; it
   * has ended then. `prepared` is told when a held command waits for {@link proceed}.
   */
  async start(order: InitOrder, prepared: () => void): Promise<StartFailure | undefined> {
    const failure = failureIn(await this.#converse(`${JSON.stringify(order)}\n`, prepared));
    if (failure !== undefined) await this.exited;
    return failure;
  }

  /** Lets a held command start. */
  proceed(): void {
    this.#control.write(goAhead);
  }

  /** Sends a signal, by its number, with the effect that it has on ordinary processes; see SandboxProcess.kill. */
  signal(signal: number): void {
    this.#signals = this.#signals.then(() => this.#send(signal));
  }

  /** Ends the command by SIGKILL, before what was sent earlier. */
  end(): void {
    this.#child.kill("SIGKILL");
  }

  async #send(signal: number): Promise<void> {
    const ends = !this.#hasEnded() && (await wouldEnd(this.identity.pid, signal));
    if (this.#hasEnded()) return; // not reaped before this thread hears of it, so the number is still its own
    if (ends) this.#meant = signal;
    if (ends) this.#child.kill("SIGKILL");
    else process.kill(this.identity.pid, signal);
  }

  #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  #statusOf(code: number | null, signal: NodeJS.Signals | null): ExitStatus {
    const stoodIn = signal === "SIGKILL" && this.#meant !== undefined;
    return { code, signal: stoodIn ? signalName(this.#meant ?? 0) : signal };
  }

  /** Sends `order`, and gives all that is answered until the other end is closed. */
  #converse(order: string, prepared: () => void): Promise<string> {
    const control = this.#control;
    return new Promise((resolve) => {
      let answers = "";
      control.setEncoding("utf8");
      control.on("data", (text: string) => {
        answers += text;
        if (answersIn(text).some(({ kind }) => kind === "prepared")) prepared();
      });
      // EPIPE and ECONNRESET: the child died early, which the missing answer tells.
      control.on("error", () => {});
      control.once("close", () => resolve(answers));
      control.write(order);
    });
  }
}

function spawnInit(
  stdio: readonly [ChildFd, ChildFd, ChildFd],
  ownSession: boolean,
  pidfd?: number,
): ChildProcess {
  const libraries = process.env.LD_LIBRARY_PATH;
  return spawn(process.execPath, [initFile], {
    // V8's flags are left alone: any of them costs the code cache of Node's own start, some 8 ms.
    stdio: [...stdio, "pipe", ...(pidfd === undefined ? [] : [pidfd])],
    detached: ownSession,
    cwd: "/",
    // None of the caller's: NODE_OPTIONS would act on the init. The command's own is in the order.
    env: libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries },
  });
}
