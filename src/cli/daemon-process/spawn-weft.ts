import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { signalStatus } from "../signal-status.ts";

const program = fileURLToPath(new URL("../main.js", import.meta.url));

/**
 * Starts this program anew, born in the network namespace at `netns`; in this one's without. Throws KernelError when
 * there is no such namespace.
 */
export async function spawnWeft(
  args: readonly string[],
  netns: string | undefined,
  options: SpawnOptions,
): Promise<ChildProcess> {
  const start = () => spawn(process.execPath, [program, ...args], options);
  if (netns === undefined) return start();
  const { inNetnsAt } = await import("../../kernel/index.ts");
  return inNetnsAt(netns, start);
}

/** Resolves when a child has ended, with its exit status as a shell has it. Rejects when it could not be started. */
export function endOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? (signal === null ? 1 : signalStatus(signal))));
  });
}

/** All that comes until the other end is closed. */
export async function textOf(stream: Readable): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  return text;
}
