import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Controller } from "../../src/index.ts";
import { knownName, type NamePeer } from "./peer.ts";

/** weft with two sandboxes on a bridge network, in the namespace of a host. */
export interface WeftPeer extends NamePeer {
  readonly controller: Controller;
}

/** Runs `work` with weft on a host, and takes all of it down afterwards. */
export async function withWeft(host: string, work: (peer: WeftPeer) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), "weft-bench-dns-"));
  try {
    const controller = await Controller.open({
      root: join(folder, "root"),
      hostNetns: host,
      defaultAddressPools: [{ base: "10.0.0.0/8", size: 24 }],
    });
    try {
      const network = await controller.createNetwork("bridge", "bench");
      await controller.createSandbox(knownName, { endpoints: [{ network }] });
      const client = await controller.createSandbox("client", { endpoints: [{ network }] });
      await work({ name: "weft", netns: client.key, server: "127.0.0.11", controller });
    } finally {
      await controller.purge();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
