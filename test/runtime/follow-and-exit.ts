/** A program for command-follower.test.ts: exits with 6 while its follower's thread waits for the end of a process, itself. */
import { spawn } from "node:child_process";
import { CommandFollower } from "../../src/runtime/index.ts";
import { identityOf } from "../../src/runtime/process-identity.ts";

const follower = new CommandFollower();
const child = spawn("cat");
if (child.pid === undefined) throw new Error("cat was not started");
const adoption = follower.adopt(identityOf(child.pid));
// Its end is told by the thread, which has begun to wait in the kernel by then.
if (adoption.state !== "running") throw new Error("cat has ended");
child.stdin.end();
await adoption.command.exited;
follower.adopt(identityOf(process.pid));
process.exit(6);
