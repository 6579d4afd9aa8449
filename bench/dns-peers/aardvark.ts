import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../test/e2e/until.ts";
import type { TestNetns } from "../../test/netns-fixture.ts";
import { runProgram, spawnIn } from "../../test/peers/programs.ts";
import { knownName, type NamePeer } from "./peer.ts";

const gateway = "10.88.0.1";
const container = `${"0".repeat(63)}1`;

/**
 * Runs `work` with podman's aardvark-dns, which listens at a bridge's address and is asked in the host's
 * own namespace: without the way over a veth pair that its containers have, and without any NAT.
 */
export async function withAardvark(host: TestNetns, work: (peer: NamePeer) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "weft-bench-aardvark-"));
  try {
    // A file for each network: the addresses to listen at, then a line for each container.
    writeFileSync(join(folder, "bench"), `${gateway}\n${container} 10.88.0.2  ${knownName}\n`);
    host.exec("ip", "address", "add", `${gateway}/24`, "dev", "lo");
    const [, version = ""] = (await runProgram(host.path, "aardvark-dns", ["--version"])).trim().split(" ");
    const stop = await start(host, folder);
    try {
      await work({ name: `aardvark-dns ${version}`, netns: host.path, server: gateway });
    } finally {
      await stop();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** It goes into the background once it listens, and leaves its number in a file. */
async function start(host: TestNetns, folder: string): Promise<() => Promise<void>> {
  const child = spawnIn(host.path, "aardvark-dns", ["-c", folder, "-p", "53", "run"], { stdio: "ignore" });
  await once(child, "exit");
  const pid = Number(readFileSync(join(folder, "aardvark.pid"), "utf8"));
  return async () => {
    process.kill(pid, "SIGKILL");
    await until("aardvark-dns has ended", () => !existsSync(`/proc/${pid}`));
  };
}
