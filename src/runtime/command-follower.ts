import { type Clock, systemClock, WeftError } from "../core/index.ts";
import { isKernelError } from "../kernel/kernel-error.ts";
import * as sys from "../kernel/syscalls.ts";
import type { ExitStatus } from "./command.ts";
import { endGracefully } from "./end-gracefully.ts";
import { ExitHearing, pidfdTellsExit } from "./exit-hearing.ts";
import { exitStatusOf, unknownStatus } from "./exit-status.ts";
import { ExitWatch } from "./exit-watch.ts";
import { openProcess, type ProcessIdentity, processStat } from "./process-identity.ts";
import type { EndOptions, RunningCommand } from "./running-command.ts";
import { wouldEnd } from "./signal-effect.ts";
import { parseSignal, signalName } from "./signals.ts";

/** What has become of a command that was started earlier. */
export type Adoption =
  | { readonly state: "running"; readonly command: RunningCommand }
  /** `status` is unknown unless the process has not been reaped yet. */
  | { readonly state: "ended"; readonly status: ExitStatus };

/** {@link CommandFollower}. */
export interface FollowerOptions {
  readonly clock?: Clock;
  /** Whether a pidfd tells how its process ended; by default what this version of the kernel does. */
  readonly pidfdTells?: boolean;
}

/**
 * Follows commands that others started, an earlier life of this program above all. Each costs a descriptor and no
 * thread; the end of any number of them is noticed by one thread.
 */
export class CommandFollower {
  readonly #clock: Clock;
  readonly #pidfdTells: boolean;
  readonly #watch: ExitWatch;
  /** Opened for the first that is followed; null when the kernel tells nothing. */
  #hearing: ExitHearing | null | undefined;
  readonly #followed = new Set<FollowedCommand>();
  #closed = false;

  /** Throws KernelError, for instance when this process may open no more descriptors. */
  constructor({ clock = systemClock, pidfdTells = pidfdTellsExit() }: FollowerOptions = {}) {
    this.#clock = clock;
    this.#pidfdTells = pidfdTells;
    this.#watch = new ExitWatch((error) => this.#abandon(error));
  }

  /**
   * Takes up a command by its recorded identity. How it ends is known on Linux 6.15 and later; on older kernels where
   * this process is root in the machine's first PID namespace, else it is unknown unless its parent is slow to reap
   * it. Throws KernelError, for instance when this process may open no more descriptors.
   */
  adopt(identity: ProcessIdentity): Adoption {
    if (this.#closed) throw new WeftError("LAUNCH", "the follower is closed");
    const pidfd = openProcess(identity);
    if (pidfd === undefined) return { state: "ended", status: unknownStatus };
    try {
      const { waitStatus } = statOf(identity);
      if (waitStatus === undefined) return { state: "running", command: this.#follow(identity, pidfd) };
      sys.close(pidfd);
      return { state: "ended", status: exitStatusOf(waitStatus) };
    } catch (error) {
      sys.close(pidfd);
      throw error;
    }
  }

  /**
   * Follows nothing any more; the commands go on, and their `exited` never settles but for one whose end had been
   * told already.
   */
  async close(): Promise<void> {
    if (this.#closed) return this.#watch.close();
    this.#closed = true;
    const followed = [...this.#followed];
    for (const command of followed) this.#leave(command);
    for (const command of followed) command.letGo();
    await this.#watch.close();
    this.#hearing?.close();
  }

  #follow(identity: ProcessIdentity, pidfd: number): RunningCommand {
    const hearing = this.#listen();
    hearing?.follow(identity.pid);
    const command = new FollowedCommand(identity, pidfd, this.#clock);
    try {
      this.#watch.add(pidfd, () => {
        this.#leave(command);
        command.hasEnded(() =>
          hearing === null ? sys.pidfdExitStatus(pidfd) : hearing.waitStatusOf(identity.pid),
        );
      });
    } catch (error) {
      hearing?.leave();
      throw error;
    }
    this.#followed.add(command);
    const heard = () => hearing?.leave();
    command.exited.then(heard, heard);
    return command;
  }

  /** Opens what tells of exits for the first that is followed. */
  #listen(): ExitHearing | null {
    if (this.#hearing !== undefined) return this.#hearing;
    this.#hearing = this.#pidfdTells ? null : ExitHearing.open(this.#clock);
    if (this.#hearing !== null) this.#watch.listen(this.#hearing.start);
    return this.#hearing;
  }

  #leave(command: FollowedCommand): void {
    this.#followed.delete(command);
    this.#watch.remove(command.pidfd);
  }

  #abandon(error: WeftError): void {
    for (const command of this.#followed) command.abandon(error);
    this.#followed.clear();
  }
}

class FollowedCommand implements RunningCommand {
  readonly pid: number;
  readonly startTicks: number;
  readonly bootId: string;
  readonly pidfd: number;
  readonly exited: Promise<ExitStatus>;
  readonly #clock: Clock;
  #resolve: (status: ExitStatus | Promise<ExitStatus>) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #open = true;
  /** The signal for which SIGKILL had to stand in. */
  #meant: number | undefined;
  /** Settles when the signals so far have been sent. */
  #signals: Promise<void> = Promise.resolve();

  constructor({ pid, startTicks, bootId }: ProcessIdentity, pidfd: number, clock: Clock) {
    this.pid = pid;
    this.startTicks = startTicks;
    this.bootId = bootId;
    this.pidfd = pidfd;
    this.#clock = clock;
    this.exited = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.exited.catch(() => {}); // nobody has to listen
  }

  kill(signal: NodeJS.Signals | number = "SIGTERM"): void {
    const number = parseSignal(String(signal));
    if (number === parseSignal("KILL")) this.#send(number);
    else this.#signals = this.#signals.then(() => this.#sendAsMeant(number));
  }

  end(options: EndOptions): Promise<ExitStatus> {
    return endGracefully(this, this.#clock, options);
  }

  /** The process has ended; tells how, by `reaped` if its parent has been told already. */
  hasEnded(reaped: () => number | undefined | Promise<number | undefined>): void {
    // First what a process says that has not been reaped, for reaping makes the other ways work.
    const waitStatus = statOf(this).waitStatus ?? reaped();
    this.letGo();
    this.#resolve(
      waitStatus instanceof Promise ? waitStatus.then(this.#statusOf) : this.#statusOf(waitStatus),
    );
  }

  /** Closes what it holds. */
  letGo(): void {
    if (!this.#open) return;
    this.#open = false;
    sys.close(this.pidfd);
  }

  /** Nobody will tell of its end. */
  abandon(error: WeftError): void {
    this.letGo();
    this.#reject(error);
  }

  readonly #statusOf = (waitStatus: number | undefined): ExitStatus => {
    if (waitStatus === undefined) return unknownStatus;
    const status = exitStatusOf(waitStatus);
    const stoodIn = status.signal === "SIGKILL" && this.#meant !== undefined;
    return stoodIn ? { code: null, signal: signalName(this.#meant ?? 0) } : status;
  };

  async #sendAsMeant(signal: number): Promise<void> {
    const ends = this.#open && (await wouldEnd(this.pid, signal));
    if (!this.#open) return;
    if (ends) this.#meant = signal;
    this.#send(ends ? parseSignal("KILL") : signal);
  }

  #send(signal: number): void {
    if (!this.#open) return;
    try {
      sys.pidfdSendSignal(this.pidfd, signal);
    } catch (error) {
      if (!isKernelError(error, "ESRCH")) throw error;
    }
  }
}

/** Nothing is known of a process that has been reaped, or whose number stands for another by now. */
function statOf({ pid, startTicks }: ProcessIdentity): { readonly waitStatus: number | undefined } {
  try {
    const stat = processStat(pid);
    return stat.startTicks === startTicks ? stat : { waitStatus: undefined };
  } catch {
    return { waitStatus: undefined };
  }
}
