/**
 * A program for launcher.test.ts: starts one command whose output goes to a file, prints its identity,
 * and waits for its end, unless LEAVE=1. Arguments: namespace, file, command.
 */
import { Launcher } from "../../src/runtime/index.ts";

const [netnsPath = "", file = "", ...command] = process.argv.slice(2);
const launcher = new Launcher({ spare: Number(process.env.SPARE ?? 0) });
await launcher.start();
const started = await launcher.run({ netnsPath, files: [], command, stdio: { stdout: { file } } });
const { pid, startTicks, bootId } = started;
console.log(JSON.stringify({ pid, startTicks, bootId }));
if (process.env.LEAVE !== "1") await started.exited;
await launcher.close();
