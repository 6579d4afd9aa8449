#!/usr/bin/env node
import { runCli } from "./run-cli.ts";
import { ownSurroundings } from "./surroundings.ts";

/** 128 + SIGPIPE: what a shell sees of a program whose reader went away. */
const readerGone = 141;

process.stdout.on("error", (error) => {
  // `weft ps | head -1`: nobody reads on, and nobody wants to hear of it.
  if ("code" in error && error.code === "EPIPE") process.exit(readerGone);
  process.stderr.write(`weft: cannot write to the standard output: ${error.message}\n`);
  process.exit(1);
});

// What cannot be complained of changes no status.
process.stderr.on("error", () => {});

process.exitCode = await runCli(process.argv.slice(2), ownSurroundings);
