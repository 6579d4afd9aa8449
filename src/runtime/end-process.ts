import { CommandFollower } from "./command-follower.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import type { EndOptions } from "./running-command.ts";

/**
 * Ends a command that another launcher started, of an earlier life of the program for instance, and all
 * of its descendants, as SandboxProcess.end does; resolves when they have ended. A process that is gone
 * already, or whose number now stands for another, is no error. Who ends many takes one {@link CommandFollower}
 * for them. Throws KernelError.
 */
export async function endProcess(identity: ProcessIdentity, options: EndOptions): Promise<void> {
  // Nobody asks how it ended: the kernel need not tell of all that end on the machine.
  const follower = new CommandFollower({ pidfdTells: true });
  try {
    const adoption = follower.adopt(identity);
    if (adoption.state === "running") await adoption.command.end(options);
  } finally {
    await follower.close();
  }
}
