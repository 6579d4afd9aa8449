// Runs the compiled tests, all of them or those whose path contains one of the given words:
//   npm test               everything
//   npm test -- dns plan   test/dns/... and test/plan/...
//   npm test -- --update scenarios   writes the scenario files anew, to be read in review
//   npm run test:vm           in a guest with Debian's kernel: files that say what they need of a kernel
//   npm run test:vm -- dns    in the guest: these files, whatever they need
//   npm run test:vm -- --all  in the guest: all that have to do with a kernel, or with words those of them
//   --limit MINUTES           how long the guest may take
// A file that says which features of the kernel it needs (test/needs-kernel.ts) runs in the guest where this
// machine's kernel lacks one of them. It fails where the guest's does too: no file is left out.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { featureNames, probeFeatures } from "../dist/src/facts/index.js";
import { debianKernel, divide, findTestFiles, kernelTests, runInGuest } from "../dist/test/vm/index.js";

/** Two files at a time: the tests measure nothing, and most wait for the kernel. */
const testOptions = ["--test", "--test-concurrency=2", "--enable-source-maps", "--test-reporter=spec"];
/** The guest's processors are emulated: what takes a minute here takes many there. */
const limitMinutes = { chosen: 30, all: 360 };

const { values: options, positionals: words } = asked();

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

function asked() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        vm: { type: "boolean", default: false },
        all: { type: "boolean", default: false },
        update: { type: "boolean", default: false },
        limit: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    console.error(`${error.message}\n`);
    return { values: { help: true, wrong: true }, positionals: [] };
  }
}

/** What stands at the beginning of this file. */
function help() {
  const lines = readFileSync(new URL(import.meta.url), "utf8").split("\n");
  const text = lines.slice(
    0,
    lines.findIndex((line) => !line.startsWith("//")),
  );
  console.log(text.map((line) => line.slice(3)).join("\n"));
  return options.wrong === true ? 2 : 0;
}

async function main() {
  if (options.help) return help();
  const { host, guest } = chosenFiles();
  const inHost = host.length === 0 ? undefined : runHere(host);
  const inGuest = guest.length === 0 ? undefined : await runThere(guest);
  if (inHost !== undefined && inGuest !== undefined)
    console.log(`${told("here", host, inHost)}; ${told("in the guest", guest, inGuest)}`);
  return inHost || inGuest || 0;
}

function chosenFiles() {
  const files = findTestFiles(process.cwd(), words);
  if (files.length === 0) throw new Error(`no test file has ${words.join(" or ")} in its path`);
  if (!options.vm) return divide(files, missingFeatures(files));
  if (options.update) throw new Error("nothing that a guest writes outlives it: --update is for npm test");
  const guest = guestFiles(files);
  if (guest.length === 0) throw new Error("none of these files has to do with a kernel");
  return { host: [], guest };
}

function guestFiles(files) {
  if (options.all) return kernelTests(process.cwd(), files);
  return words.length > 0 ? files : files.filter(({ needs }) => needs.length > 0);
}

/** What this machine's kernel lacks of what the files need. */
function missingFeatures(files) {
  const needed = new Set(files.flatMap(({ needs }) => needs));
  const features = needed.size === 0 ? [] : probeFeatures(featureNames.filter((name) => needed.has(name)));
  return new Set(features.filter(({ available }) => !available).map(({ name }) => name));
}

function runHere(files) {
  const env = options.update ? { ...process.env, WEFT_UPDATE_SCENARIOS: "1" } : process.env;
  const args = [...testOptions, ...files.map(({ compiled }) => compiled)];
  const { status, signal } = spawnSync(process.execPath, args, { stdio: "inherit", env });
  if (signal !== null) throw new Error(`the tests were ended by ${signal}`);
  return status;
}

async function runThere(files) {
  const kernel = debianKernel(console.log);
  console.log(`\n== ${counted(files)} of tests in a guest with Linux ${kernel.version}`);
  const minutes =
    options.limit === undefined ? limitMinutes[options.all ? "all" : "chosen"] : Number(options.limit);
  if (!(minutes > 0)) throw new Error(`--limit takes minutes, not "${options.limit}"`);
  const interrupt = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => interrupt.abort());
  return await runInGuest(kernel, {
    command: [process.execPath, ...testOptions, ...files.map(({ compiled }) => compiled)],
    folder: process.cwd(),
    env: {
      ...settings(),
      ...(process.stdout.isTTY ? { TERM: process.env.TERM ?? "linux" } : { NO_COLOR: "1" }),
    },
    limitMs: minutes * 60_000,
    signal: interrupt.signal,
    output: (chunk) => process.stdout.write(chunk),
  });
}

/** What tests are told by the environment, such as WEFT_CRASH_SEED; not to write what would not outlive the guest. */
function settings() {
  const { WEFT_UPDATE_SCENARIOS: _, ...others } = process.env;
  return Object.fromEntries(Object.entries(others).filter(([name]) => name.startsWith("WEFT_")));
}

function told(where, files, status) {
  return `${counted(files)} ${where}: ${status === 0 ? "passed" : `failed, status ${status}`}`;
}

function counted(files) {
  return files.length === 1 ? "1 file" : `${files.length} files`;
}
