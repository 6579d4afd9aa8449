/**
 * A program for terminal.test.ts: starts a command with a kept terminal, prints its identity, and lives until it
 * is killed. Arguments: namespace, folder, command.
 */
import { Launcher } from "../../src/runtime/index.ts";

const [netnsPath = "", cwd = "", ...command] = process.argv.slice(2);
const launcher = new Launcher();
await launcher.start();
const { pid, startTicks, bootId, exited } = await launcher.run({
  netnsPath,
  files: [],
  cwd,
  command,
  terminal: { kept: true },
});
console.log(JSON.stringify({ pid, startTicks, bootId }));
await exited;
