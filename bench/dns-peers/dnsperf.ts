import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnIn } from "../../test/peers/programs.ts";
import { knownName, type NamePeer } from "./peer.ts";

/** How a server is asked; named as dnsperf's options are. */
export interface Load {
  /** Sockets that ask. */
  readonly clients: number;
  /** Queries that wait for an answer at a time, of all sockets. */
  readonly outstanding: number;
}

/** What came of it. */
export interface LoadFigures {
  readonly queriesPerSecond: number;
  readonly lost: number;
  /** Of every answer, ms, in no order. */
  readonly latenciesMs: Float64Array;
}

/**
 * Loads a server for so many seconds. dnsperf tells each answer's latency (`-v`) into a file, which is read
 * when it has ended, so that reading it slows nothing.
 */
export async function load(
  peer: NamePeer,
  { clients, outstanding }: Load,
  seconds: number,
): Promise<LoadFigures> {
  const folder = mkdtempSync(join(tmpdir(), "weft-dnsperf-"));
  const questions = join(folder, "questions"); // it reads them again and again
  writeFileSync(questions, `${knownName} A\n`);
  const output = openSync(join(folder, "output"), "w");
  const options = ["-v", "-W", "-t", "1", "-l", String(seconds), "-d", questions, "-s", peer.server];
  try {
    const child = spawnIn(
      peer.netns,
      "dnsperf",
      [...options, "-c", String(clients), "-q", String(outstanding)],
      { stdio: ["ignore", output, output] },
    );
    await once(child, "close");
    return figuresOf(await readFile(join(folder, "output"), "latin1"));
  } finally {
    closeSync(output);
    rmSync(folder, { recursive: true });
  }
}

function figuresOf(output: string): LoadFigures {
  const answers = output.matchAll(/^> NOERROR \S+ \S+ ([0-9.]+)$/gm);
  const latenciesMs = Float64Array.from(answers, ([, seconds]) => Number(seconds) * 1000);
  const wrong = /^> (?!NOERROR |T )\S+/m.exec(output);
  const perSecond = /Queries per second: +([0-9.]+)/.exec(output)?.[1];
  const lost = /Queries lost: +([0-9]+)/.exec(output)?.[1];
  if (wrong !== null || perSecond === undefined || lost === undefined || latenciesMs.length === 0)
    throw new Error(`dnsperf did not get answers: ${wrong?.[0] ?? ""} ${output.slice(-1000)}`);
  return { queriesPerSecond: Number(perSecond), lost: Number(lost), latenciesMs };
}
