import type { Plan } from "../../api/index.ts";
import type { ExitStatus, ProcessIdentity } from "../../runtime/index.ts";
import type { Adopted, CommandRunner, Place, Run } from "./command-runner.ts";
import type { SandboxRecord } from "./sandbox-record.ts";

/** A process of no host. */
const nobody: ProcessIdentity = { pid: 0, startTicks: 0, bootId: "" };

/** Starts and signals nothing, and keeps account of what would be. */
export class PlannedRunner implements CommandRunner {
  readonly steps: Plan["Steps"][number][] = [];

  async start(
    { name, config }: SandboxRecord,
    { netnsPath }: Place,
    beforeStart: (identity: ProcessIdentity) => Promise<void>,
  ): Promise<Run> {
    await beforeStart(nobody);
    const Value = { args: config.Command?.Args ?? [], netns: netnsPath };
    this.steps.push({ Step: "start", Object: `command of sandbox ${name}`, Value });
    return this.#run(nobody);
  }

  /** Every command runs on. */
  adopt(identity: ProcessIdentity): Adopted {
    return { state: "running", run: this.#run(identity) };
  }

  forget(): void {}

  forgetOthers(): void {}

  #run(identity: ProcessIdentity): Run {
    let end: (status: ExitStatus) => void = () => {};
    const exited = new Promise<ExitStatus>((resolve) => {
      end = resolve;
    });
    const signal = (name: string) =>
      this.steps.push({ Step: "signal", Object: `process ${identity.pid}`, Value: { signal: name } });
    return {
      identity,
      exited,
      kill: (name) => {
        signal(name);
      },
      end: async ({ signal: name }) => {
        signal(name);
        const status: ExitStatus = { code: 0, signal: null };
        end(status);
        return status;
      },
    };
  }
}
