import assert from "node:assert/strict";
import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { endProcess, type ProcessIdentity } from "../../src/index.ts";
import { inventoryOf } from "./inventory.ts";
import { KernelWatch } from "./kernel-watch.ts";
import { addressesOf } from "./sandbox-addresses.ts";
import { linksIn, type TestHost, withHost } from "./test-host.ts";
import { until } from "./until.ts";

/** What test/e2e/holder-program.ts says when all is made. */
interface HolderReport {
  readonly command: ProcessIdentity;
  readonly inventory: unknown;
}

interface Killed extends HolderReport {
  /** The file that the command in `web` writes to. */
  readonly output: string;
}

/** Lets another process make networks and sandboxes, kills it at rest, and gives what it had. */
async function holdAndKill(host: TestHost): Promise<Killed> {
  const output = join(host.folder, "output");
  const program = fileURLToPath(new URL("./holder-program.js", import.meta.url));
  const argument = JSON.stringify({ options: host.options, output });
  const child = host.netns.start(process.execPath, [program, argument], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const report = JSON.parse(await firstLine(child)) as HolderReport; // holder-program.ts wrote it
  await until("all addresses are settled", () => !tentative(host));
  child.kill("SIGKILL");
  await exited;
  return { ...report, output };
}

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  assert.ok(stdout);
  for await (const line of createInterface({ input: stdout })) return line;
  throw new Error("the program ended before it said anything");
}

/** True while the kernel still looks for duplicates of a link-local address; it tells of the end of that. */
function tentative({ netns, root }: TestHost): boolean {
  const namespaces = [
    netns.path,
    ...execFileSync("find", [join(root, "run/netns"), "-type", "f"], { encoding: "utf8" })
      .trim()
      .split("\n"),
  ];
  return namespaces.some((path) => {
    const args = [`--net=${path}`, "ip", "-oneline", "-6", "address", "show", "tentative"];
    return execFileSync("nsenter", args, { encoding: "utf8" }) !== "";
  });
}

suite("a controller whose process was killed at rest", () => {
  test("finds everything again and changes nothing in the kernel", () =>
    withHost(
      async (host) => {
        const { inventory, command } = await holdAndKill(host);
        const { sandboxes } = inventory as { readonly sandboxes: readonly { readonly key: string }[] }; // inventory.ts made it
        const watches = [host.netns.path, ...sandboxes.map(({ key }) => key)].map(
          (path) => new KernelWatch(path),
        );
        assert.equal(watches.length, 4);
        try {
          const files = () =>
            execFileSync("find", [join(host.root, "run"), "-printf", "%p %T@ %i\n"], { encoding: "utf8" });
          const before = files();
          const controller = await host.open();
          assert.deepEqual(
            watches.flatMap((watch) => watch.changes()),
            [],
          );
          assert.equal(files(), before);
          assert.deepEqual(await inventoryOf(controller), inventory);
          assert.deepEqual(await controller.drift(), []);
          await controller.createNetwork("bridge", "more");
          assert.ok(watches.some((watch) => watch.changes().length > 0)); // they would have heard
        } finally {
          for (const watch of watches) watch.close();
          await endProcess(command, { graceMs: 0 });
        }
      },
      { opened: false },
    ));

  test("answers names again, and its sandboxes' commands run on", () =>
    withHost(
      async (host) => {
        const { command, output } = await holdAndKill(host);
        try {
          const controller = await host.open();
          const size = statSync(output).size;
          await until("the command writes on", () => statSync(output).size > size);
          assert.match(readFileSync(output, "utf8"), /^(www\n)+/);
          const agent = await host.agent(controller.sandbox("client"));
          const { ipv4, ipv6 } = await addressesOf(controller.sandbox("web"), controller.network("blue"));
          for (const name of ["web", "shop", "www", "web.blue"])
            assert.deepEqual((await agent.name(name, "A", "tcp")).data, [ipv4], name);
          for (const name of ["web.red", "gone"]) assert.deepEqual((await agent.name(name)).data, [], name);
          await host.agent(controller.sandbox("web"));
          for (const address of [ipv4, ipv6]) await agent.reach(address);
          const added = await controller.createSandbox("new", {
            endpoints: [{ network: controller.network("blue") }],
          });
          assert.deepEqual((await agent.name("new")).data, [(await addressesOf(added)).ipv4]);
        } finally {
          await endProcess(command, { graceMs: 0 });
        }
      },
      { opened: false },
    ));

  test("deletes what its former life made, even while a command still runs in it", () =>
    withHost(
      async (host) => {
        const { command } = await holdAndKill(host);
        try {
          const controller = await host.open();
          const web = controller.sandbox("web");
          const links = web.endpoints().map(({ id }) => `veth${id.slice(0, 11)}`);
          assert.ok(links.every((link) => linksIn(host.netns).includes(link)));
          await web.delete();
          await controller.idle();
          assert.deepEqual(
            linksIn(host.netns).filter((link) => links.includes(link)),
            [],
          );
          assert.ok(!existsSync(web.key));
          await controller.sandbox("client").delete();
          await controller.sandbox("alone").delete();
          await controller.network("blue").endpoint("spare").delete();
          for (const network of controller.networks()) await network.delete();
          await controller.idle();
          assert.deepEqual(linksIn(host.netns), ["lo"]);
          assert.deepEqual(await controller.drift(), []);
        } finally {
          await endProcess(command, { graceMs: 0 });
        }
      },
      { opened: false },
    ));
});
