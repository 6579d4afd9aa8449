/** A program for command-follower.test.ts: exits with 6 while it follows a process, itself. */
import { CommandFollower } from "../../src/runtime/index.ts";
import { identityOf } from "../../src/runtime/process-identity.ts";

new CommandFollower().adopt(identityOf(process.pid));
setTimeout(() => process.exit(6), 50);
