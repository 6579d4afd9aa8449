import type {
  Adopted,
  CommandRunner,
  EndRun,
  Place,
  Run,
} from "../../../src/daemon/sandboxes/command-runner.ts";
import type { SandboxRecord } from "../../../src/daemon/sandboxes/sandbox-record.ts";
import type { ExitStatus, ProcessIdentity } from "../../../src/runtime/index.ts";

/** A command that runs until a test, or somebody who was asked to, ends it. */
export class FakeCommand implements Run {
  readonly identity: ProcessIdentity;
  readonly exited: Promise<ExitStatus>;
  readonly signals: string[] = [];
  readonly place: Place | undefined;
  #end: (status: ExitStatus) => void = () => {};
  over: ExitStatus | undefined;
  /** It heeds SIGKILL alone, and nobody sends that by itself. */
  isDeaf = false;

  constructor(pid: number, place?: Place) {
    this.identity = { pid, startTicks: pid * 10, bootId: "boot" };
    this.place = place;
    this.exited = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  finish(code: number | null): void {
    this.over = { code, signal: null };
    this.#end(this.over);
  }

  kill(signal: string): void {
    this.signals.push(signal);
    if (signal === "SIGKILL") this.finish(137);
  }

  end({ signal, abort }: EndRun): Promise<ExitStatus> {
    this.kill(signal);
    if (this.over === undefined && !this.isDeaf) this.finish(143);
    return new Promise((resolve, reject) => {
      abort.addEventListener("abort", () => reject(abort.reason));
      this.exited.then(resolve, reject);
    });
  }
}

/** Commands of no kernel; they outlive a daemon, as real ones do. */
export class FakeCommands implements CommandRunner {
  readonly running = new Map<number, FakeCommand>();
  readonly forgotten: string[] = [];
  /** What the next start meets. */
  refuse: Error | undefined;
  /** What the next start meets after it was recorded. */
  refuseLate: Error | undefined;
  #lastPid = 100;

  async start(
    _record: SandboxRecord,
    place: Place,
    beforeStart: (identity: ProcessIdentity) => Promise<void>,
  ): Promise<Run> {
    const refused = this.refuse;
    this.refuse = undefined;
    if (refused !== undefined) throw refused;
    const command = this.launch(place);
    try {
      await beforeStart(command.identity);
    } catch (error) {
      this.running.delete(command.identity.pid);
      throw error;
    }
    const late = this.refuseLate;
    this.refuseLate = undefined;
    if (late === undefined) return command;
    command.finish(127);
    throw late;
  }

  /** A command that somebody else starts. */
  launch(place?: Place): FakeCommand {
    const command = new FakeCommand(++this.#lastPid, place);
    this.running.set(command.identity.pid, command);
    void command.exited.then(() => this.running.delete(command.identity.pid));
    return command;
  }

  /** The only one that runs. */
  only(): FakeCommand {
    const [command, ...others] = this.running.values();
    if (command === undefined || others.length > 0) throw new Error(`${this.running.size} commands run`);
    return command;
  }

  adopt({ pid }: ProcessIdentity): Adopted {
    const run = this.running.get(pid);
    return run === undefined
      ? { state: "ended", status: { code: null, signal: null } }
      : { state: "running", run };
  }

  forget({ id }: Pick<SandboxRecord, "id">): void {
    this.forgotten.push(id);
  }

  forgetOthers(): void {}
}
