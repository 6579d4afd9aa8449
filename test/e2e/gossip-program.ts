// The command `weft gossip` as a program of its own, for the tests to run in a namespace.
import { gossipCommand } from "../../src/cli/gossip.ts";

gossipCommand()
  .parseAsync(process.argv)
  .catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  });
