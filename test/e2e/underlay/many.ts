import assert from "node:assert/strict";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { linksIn, type TestHost, withHost } from "../test-host.ts";
import type { ManyOrder } from "./many-program.ts";
import { joinToSwitch, linkState, uplink } from "./wire.ts";

const count = 200;

/** Runs the program until it says `until`, and kills it then; to its end without. */
async function run({ netns, options }: TestHost, parent: string, until?: string): Promise<void> {
  const program = fileURLToPath(new URL("./many-program.js", import.meta.url));
  const order: ManyOrder = { options, parent, count };
  const child = netns.start(process.execPath, [program, JSON.stringify(order)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  assert.ok(child.stdout);
  const exited = once(child, "exit");
  for await (const line of createInterface({ input: child.stdout }))
    if (line === until) child.kill("SIGKILL");
  await exited;
  assert.equal(child.signalCode, until === undefined ? null : "SIGKILL");
  if (until === undefined) assert.equal(child.exitCode, 0);
}

/** Two hundred macvlan endpoints on a parent, which come and go; `parent` is `up0` or on it. */
export function manyEndpoints(parent: string): void {
  const onWire = (work: (host: TestHost) => Promise<void>) =>
    withHost(
      async (host) => {
        await joinToSwitch(host);
        const before = { links: linksIn(host.netns), uplink: linkState(host.netns, uplink) };
        assert.equal(before.uplink.promiscuity, 0);
        await work(host);
        assert.deepEqual(linksIn(host.netns), before.links);
        assert.deepEqual(linkState(host.netns, uplink), before.uplink);
      },
      { opened: false },
    );

  /** What was killed is there as its records say, and is deleted. */
  const openAndDelete = async (host: TestHost, expected: (made: number) => boolean) => {
    const controller = await host.open();
    assert.deepEqual(await controller.drift(), []);
    const sandboxes = controller.sandboxes();
    assert.ok(expected(sandboxes.length), `${sandboxes.length} sandboxes`);
    await Promise.all(sandboxes.map((sandbox) => sandbox.delete()));
    await controller.network("many").delete();
    await controller.idle();
  };

  suite(`${count} macvlan endpoints on ${parent}`, () => {
    test("leave no link and no promiscuous parent behind", () => onWire((host) => run(host, parent)));

    test("nor when their maker is killed halfway, and started again", () =>
      onWire(async (host) => {
        await run(host, parent, `made ${count / 2}`);
        await openAndDelete(host, (made) => made >= count / 2 && made < count);
      }));

    test("nor when it is killed halfway through their deletion", () =>
      onWire(async (host) => {
        await run(host, parent, `deleted ${count / 2}`);
        await openAndDelete(host, (left) => left > 0 && left <= count / 2);
      }));
  });
}
