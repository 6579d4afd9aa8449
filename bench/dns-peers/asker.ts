import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { inNetnsAt } from "../../src/kernel/index.ts";
import { printed } from "../../test/peers/programs.ts";
import { knownName, type NamePeer } from "./peer.ts";

/** How long each answer took, ms, in their order, and how many questions had none within a second. */
export interface AskerFigures {
  readonly lost: number;
  readonly latenciesMs: readonly number[];
}

/** Asks a server one question at a time, from a process of its own, while `work` runs. */
export async function askWhile(peer: NamePeer, work: () => Promise<unknown>): Promise<AskerFigures> {
  const program = fileURLToPath(new URL("./asker-program.js", import.meta.url));
  const child = inNetnsAt(peer.netns, () =>
    spawn(process.execPath, [program, peer.server, knownName], { stdio: ["ignore", "pipe", "inherit"] }),
  );
  const output = text(child.stdout);
  try {
    await printed(child, "ready", 10_000);
    await work();
  } finally {
    child.kill("SIGTERM");
  }
  return JSON.parse((await output).replace("ready\n", "")) as AskerFigures; // our own program's
}
