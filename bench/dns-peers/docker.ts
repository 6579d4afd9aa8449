import { withDockerd } from "../../test/peers/dockerd.ts";
import { knownName, type NamePeer } from "./peer.ts";

/** Runs `work` with Docker's daemon on a host, and two containers on a network of their own. */
export async function withDocker(host: string, work: (peer: NamePeer) => Promise<void>): Promise<void> {
  await withDockerd(host, {}, async (dockerd) => {
    const { engine } = dockerd;
    await engine.createNetwork({ name: "bench" });
    await engine.run({ name: knownName, network: "bench" });
    const client = await engine.run({ name: "client", network: "bench" });
    const name = `Docker ${await engine.version()}`;
    await work({ name, netns: await dockerd.netnsOf(client), server: "127.0.0.11" });
  });
}
