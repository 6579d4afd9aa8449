/**
 * A program for foreground.test.ts, run on a terminal of its own: runs a command with its own streams, and says who
 * is in the foreground before and after. Arguments: namespace, command.
 */
import { isWeftError } from "../../src/core/index.ts";
import { foregroundGroup, processGroup } from "../../src/kernel/syscalls.ts";
import { Launcher } from "../../src/runtime/index.ts";

const [netnsPath = "", ...command] = process.argv.slice(2);
const isForeground = () => foregroundGroup(0) === processGroup();
const launcher = new Launcher();
await launcher.start();
console.log(`before ${isForeground()}`);
try {
  const stdio = { stdin: "inherit", stdout: "inherit", stderr: "inherit" } as const;
  const environment = { PS1: "> " };
  const { exited } = await launcher.run({ netnsPath, files: [], command, stdio, environment });
  console.log(`meanwhile ${isForeground()}`);
  const { code } = await exited;
  console.log(`code ${code}`);
} catch (error) {
  console.log(isWeftError(error) ? error.code : String(error));
}
console.log(`after ${isForeground()}`);
await launcher.close();
