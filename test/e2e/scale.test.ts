import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { Network } from "../../src/index.ts";
import { netnsSysctls } from "./netns-sysctls.ts";
import { readStore } from "./store-contents.ts";
import { lines, linksIn, type TestHost, withHost } from "./test-host.ts";

const networkCount = 100;
const sandboxesEach = 3;

/** What a controller could leave in this process and on this machine. */
function traces({ netns, folder }: TestHost) {
  const descriptors = readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return []; // the one that read the folder
    }
  });
  return {
    links: linksIn(netns),
    addresses: netns.exec("ip", "-oneline", "address"),
    routes: netns.exec("ip", "route", "show", "table", "all"),
    tables: netns.exec("nft", "list", "ruleset"),
    sysctls: netnsSysctls(netns),
    mounts: lines(readFileSync("/proc/self/mountinfo", "utf8")).filter((line) => line.includes(folder)),
    sockets: descriptors.filter((target) => /^socket:|netns|^\/$|weft/.test(target)).length,
    threads: readdirSync("/proc/self/task").length,
  };
}

function children(): readonly string[] {
  return readdirSync("/proc/self/task").flatMap((task) =>
    readFileSync(`/proc/self/task/${task}/children`, "utf8")
      .split(" ")
      .filter((pid) => pid !== ""),
  );
}

async function fill(host: TestHost, network: Network, i: number): Promise<void> {
  for (let j = 0; j < sandboxesEach; j++)
    await host.controller.createSandbox(`box${i}-${j}`, { endpoints: [{ network }] });
}

suite("a host with many networks", () => {
  test(`${networkCount} networks with ${sandboxesEach} sandboxes each come and go without a trace`, () =>
    withHost(
      async (host) => {
        const before = traces(host);
        const processes = children();
        const controller = await host.open();
        for (let i = 0; i < networkCount; i++)
          await fill(host, await controller.createNetwork("bridge", `net${i}`, { ipv6: i % 2 === 0 }), i);
        assert.equal(linksIn(host.netns).length, 1 + networkCount * (1 + sandboxesEach));
        assert.deepEqual(await controller.drift(), []);

        await Promise.all(controller.sandboxes().map((sandbox) => sandbox.delete()));
        await Promise.all(controller.networks().map((network) => network.delete()));
        await controller.idle();
        assert.deepEqual(await controller.drift(), []);
        const { links, addresses, routes, tables, sysctls: values } = traces(host);
        const found = { links, addresses, routes, tables, sysctls: values };
        assert.deepEqual({ ...before, ...found }, before);
        assert.deepEqual(readdirSync(join(host.root, "run/netns")), []);
        assert.deepEqual(readdirSync(join(host.root, "run/sandboxes")), []);

        await controller.close();
        assert.deepEqual(children(), processes);
        const { networks, endpoints, sandboxes, leases, others } = await readStore(host.root);
        assert.deepEqual(
          { networks, endpoints, sandboxes, leases },
          { networks: [], endpoints: [], sandboxes: [], leases: [] },
        );
        assert.deepEqual(
          others.filter((key) => key.startsWith("journal/")),
          [],
        );
        await (await host.open()).purge();
        assert.deepEqual(traces(host), before);
      },
      { opened: false },
    ));
});
