import assert from "node:assert/strict";
import type { Id } from "../../src/core/index.ts";
import { parseAddress } from "../../src/core/index.ts";
import { DnsService, type DnsServiceEvent } from "../../src/dns/index.ts";
import { openUdpAndTcp } from "../../src/kernel/index.ts";
import { type TestNetns, withNetns } from "../netns-fixture.ts";
import { openFdCount } from "./bound-sockets.ts";
import { type Answering, RealServer } from "./forward/real-server.ts";
import { aRecords, responseTo } from "./forward/upstream-samples.ts";
import { addresses, idOf } from "./samples.ts";
import { SandboxClient } from "./sandbox-client.ts";
import { measuredWorker } from "./worker-memory.ts";

/** The network that the sandboxes are on, and a name in it. */
const net = { id: idOf(1), name: "net" };

/** A host with a resolver for each of three sandboxes, each in a namespace of its own. */
export interface ResolverRig {
  readonly service: DnsService;
  /** It asks for names all along, and has to be answered. */
  readonly calm: SandboxClient;
  /** The others are attackers. */
  readonly red: TestNetns;
  readonly blue: TestNetns;
  readonly ids: Readonly<Record<"calm" | "red" | "blue", Id>>;
  /** What happened to the service by itself. */
  readonly events: readonly DnsServiceEvent[];
}

/** Names below `good.test`, which the upstream server of {@link withResolvers} answers whatever it does with others. */
export const goodAddress = "192.0.2.77";

/**
 * Runs `use` with resolvers in a service whose worker can be measured. All three sandboxes know `web`,
 * `many` (300 addresses) and `huge` (6,000), and ask one server of the host's, which does `answering`
 * with what is not below `good.test`. Fails when the service crashed, met a defect, or left a descriptor.
 */
export async function withResolvers(
  answering: Answering,
  use: (rig: ResolverRig) => Promise<void>,
): Promise<void> {
  await withNetns(["host", "calm", "red", "blue"], async ({ host, calm, red, blue }) => {
    for (const netns of [host, calm, red, blue]) netns.exec("ip", "link", "set", "lo", "up");
    const before = openFdCount();
    const upstream = await RealServer.open(host, "127.0.0.53", (query, transport) =>
      query.includes(goodLabel) ? goodAnswer(query) : answering(query, transport),
    );
    const service = await DnsService.start({ worker: measuredWorker });
    const events: DnsServiceEvent[] = [];
    service.events.subscribe((event) => events.push(event));
    const ids = { calm: idOf(101), red: idOf(102), blue: idOf(103) };
    const client = new SandboxClient(calm);
    try {
      publishNames(service);
      for (const [id, netns] of [
        [ids.calm, calm],
        [ids.red, red],
        [ids.blue, blue],
      ] as const) {
        service.view(id, [net]);
        service.forward(id, { servers: [{ address: parseAddress("127.0.0.53"), netns: host.path }] });
        await service.serve(id, openUdpAndTcp(netns.path, [127, 0, 0, 11], 61_053));
      }
      await use({ service, calm: client, red, blue, ids, events });
      assert.deepEqual(events, []);
      assert.equal((await service.stats()).counters.failures, 0, "messages at which the resolver threw");
    } finally {
      client.close();
      await service.close();
      await upstream.close();
    }
    assert.equal(openFdCount(), before);
  });
}

const goodLabel = Buffer.from("\x04good\x04test\0");

function goodAnswer(query: Buffer): Buffer {
  return responseTo(query, { answers: aRecords("x.good.test", 60, goodAddress) });
}

function publishNames(service: DnsService): void {
  const tenDotOne = (count: number) =>
    addresses(...Array.from({ length: count }, (_, i) => `10.1.${i >> 8}.${i & 255}`));
  service.publish(net.id, idOf(11), { names: ["web"], addresses: addresses("10.0.0.1") });
  service.publish(net.id, idOf(12), { names: ["many"], addresses: tenDotOne(300) });
  service.publish(net.id, idOf(13), { names: ["huge"], addresses: tenDotOne(6000) });
}
