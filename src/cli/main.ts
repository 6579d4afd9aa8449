#!/usr/bin/env node
import { runCli } from "./run-cli.ts";
import { ownSurroundings } from "./surroundings.ts";

/** 128 + SIGPIPE: what a shell sees of a program whose reader went away. */
const readerGone = 141;

// `weft ps | head -1`: nobody reads on, and nobody wants to hear of it.
process.stdout.on("error", (error) => {
  if ("code" in error && error.code === "EPIPE") process.exit(readerGone);
  throw error;
});

process.exitCode = await runCli(process.argv.slice(2), ownSurroundings);
