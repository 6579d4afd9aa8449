// Starts a launcher, closes it before it is ready, and says so when that has been waited for. Run by launcher.test.ts.
import { Launcher } from "../../src/runtime/index.ts";

const launcher = new Launcher();
void launcher.start().catch(() => {});
await launcher.close();
process.stdout.write("closed\n");
