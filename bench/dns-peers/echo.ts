import { fileURLToPath } from "node:url";
import type { TestNetns } from "../../test/netns-fixture.ts";
import { printed } from "../../test/peers/programs.ts";
import type { NamePeer } from "./peer.ts";

/** Runs `work` with a program that gives the same answer to all: what Node's own sockets allow, without any NAT. */
export async function withEcho(host: TestNetns, work: (peer: NamePeer) => Promise<void>): Promise<void> {
  const program = fileURLToPath(new URL("./echo-server.js", import.meta.url));
  const child = host.start(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
  await printed(child, "ready", 10_000);
  await work({ name: "bare node:dgram echo", netns: host.path, server: "127.0.0.1" });
}
