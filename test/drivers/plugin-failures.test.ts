import assert from "node:assert/strict";
import { test } from "node:test";
import { isWeftError } from "../../src/core/index.ts";
import { tablesOf } from "../cnm/tables-text.ts";
import { type World, type WorldOptions, withLinux, withTwin } from "../cnm/world.ts";
import { FakePluginDriver, type Misdeed, type Verb } from "./fake-plugin-driver.ts";

/** Runs a body with a plugin that outlives controllers, on the twin and on Linux. */
function withPlugin(
  name: string,
  body: (world: World, plugin: FakePluginDriver) => Promise<void>,
  kinds: Readonly<Record<string, typeof withTwin>> = { twin: withTwin, Linux: withLinux },
): void {
  for (const [kind, run] of Object.entries(kinds)) {
    test(`${name} (${kind})`, async () => {
      let plugin: FakePluginDriver | undefined;
      const options: WorldOptions = {
        drivers: (hand) => {
          plugin ??= new FakePluginDriver(hand);
          return [plugin];
        },
      };
      await run(async (world) => {
        assert.ok(plugin);
        await body(world, plugin);
        assert.deepEqual(
          plugin.calls.filter((call) => call.endsWith("not given back")),
          [],
        );
      }, options);
    });
  }
}

/** Linux sees one way of two: what differs between them is in the model. */
function kindsFor(way: string): Readonly<Record<string, typeof withTwin>> {
  return way === "at once" ? { twin: withTwin, Linux: withLinux } : { twin: withTwin };
}

/** All that is there: kernel, records, held, and what the plugin holds. */
async function everything(world: World, plugin: FakePluginDriver): Promise<readonly string[]> {
  await world.settle();
  return [...(await tablesOf(world)), ...[...plugin.state].map((one) => `plugin ${one}`).sort()];
}

type Step = (world: World, signal: AbortSignal) => Promise<unknown>;

const net = (world: World) => world.controller.network("net");

/** What leads to an endpoint in a sandbox, in two ways. */
const stepwise: readonly Step[] = [
  (world, signal) => world.controller.createNetwork("plugin", "net", { signal }),
  (world) => world.controller.createSandbox("c1"),
  (world, signal) => net(world).createEndpoint("e1", { signal }),
  (world, signal) => net(world).endpoint("e1").join(world.controller.sandbox("c1"), { signal }),
];
const atOnce: readonly Step[] = [
  ...stepwise.slice(0, 2),
  (world, signal) => world.controller.sandbox("c1").connect(net(world), { name: "e1", signal }),
];

interface Failure {
  readonly verb: Verb;
  readonly how: Misdeed;
  readonly code: string;
  readonly words: RegExp;
}

function failuresAt(verb: Verb): Failure[] {
  return [
    {
      verb,
      how: "throws",
      code: "DRIVER_ANSWER",
      words: /^driver plugin failed at \w+: the plugin is not there$/,
    },
    {
      verb,
      how: "rejects",
      code: "DRIVER_ANSWER",
      words: /^driver plugin failed at \w+: the plugin fell over$/,
    },
    {
      verb,
      how: "hangs",
      code: "ABORTED",
      words: /^the request was given up while driver plugin was at \w+$/,
    },
    {
      verb,
      how: "answers junk",
      code: "DRIVER_ANSWER",
      words: /^driver plugin answered %%% to \w+ where it should be an object$/,
    },
  ];
}

const failures: readonly Failure[] = [
  ...failuresAt("createNetwork"),
  ...failuresAt("createEndpoint"),
  {
    verb: "createEndpoint",
    how: "changes the address",
    code: "DRIVER_ANSWER",
    words: /^driver plugin modified interface address: 172\.17\.0\.2\/16 became 10\.66\.66\.66\/24$/,
  },
  {
    verb: "createEndpoint",
    how: "changes the MAC address",
    code: "DRIVER_ANSWER",
    words: /^driver plugin modified interface MAC address: .* became 02:00:00:00:00:99$/,
  },
  ...failuresAt("join"),
  {
    verb: "join",
    how: "names no link",
    code: "DRIVER_ANSWER",
    words: /^driver plugin named no link for endpoint e1$/,
  },
  {
    verb: "join",
    how: "names a link that is not there",
    code: "KERNEL",
    words: /ENODEV/,
  },
  ...failuresAt("programExternalConnectivity").filter(({ how }) => how === "throws" || how === "rejects"),
];

/** Runs `step`, and gives up when the plugin hangs. */
async function attempt(world: World, plugin: FakePluginDriver, step: Step): Promise<unknown> {
  const caller = new AbortController();
  plugin.onHang = () => caller.abort();
  return step(world, caller.signal).then(
    () => undefined,
    (error: unknown) => error ?? new Error("nothing was thrown"),
  );
}

for (const { verb, how, code, words } of failures) {
  for (const [way, steps] of Object.entries({ "step by step": stepwise, "at once": atOnce })) {
    withPlugin(
      `a plugin that ${how} at ${verb}, ${way}, is told of and leaves nothing`,
      async (world, plugin) => {
        const empty = await everything(world, plugin);
        plugin.misdeed = { verb, how };
        for (const step of steps) {
          const before = await everything(world, plugin);
          const error = await attempt(world, plugin, step);
          if (error === undefined) continue;
          assert.ok(isWeftError(error), String(error));
          assert.equal(error.code, code);
          assert.match(error.message, words);
          assert.deepEqual(await everything(world, plugin), before);
          // Nothing stands in the way of another attempt.
          assert.equal(await attempt(world, plugin, step), undefined);
        }
        assert.equal(plugin.misdeed, undefined, "the plugin had no occasion");
        await world.controller.sandbox("c1").delete();
        await net(world).delete();
        assert.deepEqual(await everything(world, plugin), empty);
        assert.deepEqual(world.events, []);
      },
      kindsFor(way),
    );
  }
}

for (const verb of ["deleteNetwork", "deleteEndpoint", "leave"] as const) {
  for (const how of ["throws", "rejects"] as const) {
    withPlugin(`a plugin that ${how} at ${verb} is asked again at the next start`, async (world, plugin) => {
      const empty = await everything(world, plugin);
      for (const step of atOnce) await step(world, new AbortController().signal);
      plugin.misdeed = { verb, how };
      await world.controller.sandbox("c1").delete();
      await net(world).delete();
      await world.settle();
      const first = world.events.find(({ event }) => event === "removal-failed");
      assert.ok(first !== undefined && "error" in first && isWeftError(first.error, "DRIVER_ANSWER"));
      assert.throws(() => net(world), /network net not found/);
      // Its addresses are not given to anybody meanwhile, for nobody knows what the plugin does with them.
      assert.ok([...world.bare.store.range("ipam/")].length > 0);
      world.events.splice(0);
      await world.restart();
      assert.deepEqual(await everything(world, plugin), empty);
      assert.deepEqual(world.events, []);
    });
  }
}

withPlugin("a plugin that fails to give up the way out keeps nobody from leaving", async (world, plugin) => {
  const empty = await everything(world, plugin);
  for (const step of atOnce) await step(world, new AbortController().signal);
  plugin.misdeed = { verb: "revokeExternalConnectivity", how: "rejects" };
  await net(world).endpoint("e1").leave();
  await world.settle();
  assert.deepEqual(
    world.events.map(({ event }) => event),
    ["removal-failed"],
  );
  await world.controller.sandbox("c1").delete();
  await net(world).endpoint("e1").delete();
  await net(world).delete();
  assert.deepEqual(await everything(world, plugin), empty);
});

withPlugin(
  "the way out moves between plugin endpoints, and moves back when it cannot",
  async (world, plugin) => {
    for (const step of atOnce) await step(world, new AbortController().signal);
    assert.ok(plugin.state.has("external e1"));
    const second = await world.controller.createNetwork("plugin", "second");
    const box = world.controller.sandbox("c1");
    plugin.misdeed = { verb: "programExternalConnectivity", how: "rejects" };
    await assert.rejects(
      box.connect(second, { name: "e2", priority: 9 }),
      /failed at programExternalConnectivity/,
    );
    assert.ok(plugin.state.has("external e1") && !plugin.state.has("external e2"));
    await box.connect(second, { name: "e2", priority: 9 });
    assert.ok(plugin.state.has("external e2") && !plugin.state.has("external e1"));
    plugin.calls.splice(0);
    await second.endpoint("e2").leave();
    await world.settle();
    // The plugin hears of the way out before it hears of the leave.
    assert.deepEqual(plugin.calls, [
      "revokeExternalConnectivity e2",
      "programExternalConnectivity e1",
      "leave e2",
    ]);
  },
);

for (const verb of ["createNetwork", "createEndpoint", "join"] as const) {
  for (const [way, steps] of Object.entries({ "step by step": stepwise, "at once": atOnce })) {
    withPlugin(
      `a death while the plugin is at ${verb}, ${way}, is followed by the call that undoes it`,
      async (world, plugin) => {
        const empty = await everything(world, plugin);
        plugin.misdeed = { verb, how: "hangs" };
        const hung = new Promise<"hung">((resolve) => {
          plugin.onHang = () => resolve("hung");
        });
        let before = empty;
        for (const step of steps) {
          before = await everything(world, plugin);
          const outcome = step(world, new AbortController().signal).then(() => "done" as const);
          if ((await Promise.race([hung, outcome])) === "hung") break;
        }
        assert.notDeepEqual(await withoutSettling(world, plugin), before);
        await world.kill();
        assert.deepEqual(await everything(world, plugin), before);
        assert.deepEqual(world.events, []);
        for (const sandbox of world.controller.sandboxes()) await sandbox.delete();
        for (const network of world.controller.networks()) {
          for (const endpoint of network.endpoints()) await endpoint.delete();
          await network.delete();
        }
        assert.deepEqual(await everything(world, plugin), empty);
      },
      kindsFor(way),
    );
  }
}

async function withoutSettling(world: World, plugin: FakePluginDriver): Promise<readonly string[]> {
  return [...(await tablesOf(world)), ...[...plugin.state].map((one) => `plugin ${one}`).sort()];
}
