// Runs the compiled tests, all of them or those whose path contains one of the given words:
//   npm test               everything
//   npm test -- dns plan   test/dns/... and test/plan/...
//   npm test -- --update scenarios   writes the scenario files anew, to be read in review
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

const update = process.argv.includes("--update");
const words = process.argv.slice(2).filter((word) => word !== "--update");
const files = readdirSync("test", { recursive: true })
  .filter((name) => name.endsWith(".test.ts"))
  .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
  .map((name) => join("dist", "test", name.replace(/\.ts$/, ".js")))
  .filter((name) => existsSync(name))
  .sort();
if (files.length === 0) {
  console.error(`no test file has ${words.join(" or ")} in its path`);
  process.exit(1);
}
// Two files at a time: the tests measure nothing, and most wait for the kernel.
const options = ["--test", "--test-concurrency=2", "--enable-source-maps", "--test-reporter=spec"];
const env = update ? { ...process.env, WEFT_UPDATE_SCENARIOS: "1" } : process.env;
const { status } = spawnSync(process.execPath, [...options, ...files], { stdio: "inherit", env });
process.exit(status ?? 1);
