/**
 * A program for before-start.test.ts: prepares a command, prints its process id and never lets it start.
 * Arguments: namespace, command.
 */
import { Launcher } from "../../src/runtime/index.ts";

const [netnsPath = "", ...command] = process.argv.slice(2);
const launcher = new Launcher();
await launcher.start();
await launcher.run({
  netnsPath,
  files: [],
  command,
  beforeStart: ({ pid }) => {
    console.log(String(pid));
    return new Promise(() => {});
  },
});
