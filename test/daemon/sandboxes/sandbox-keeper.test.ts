import assert from "node:assert/strict";
import { suite } from "node:test";
import { WeftError } from "../../../src/core/index.ts";
import { statusOf } from "../../../src/daemon/sandboxes/sandbox-view.ts";
import { type KeptSandboxes, keptTest, request, withCommand } from "./kept-sandboxes.ts";

const forever = new AbortController().signal;
const endpointsOf = (kept: KeptSandboxes, name: string) =>
  (kept.keeper.openings.get(kept.record(name).id)?.endpoints() ?? [])
    .map(({ networkId }) => kept.world.controller.network(networkId).name)
    .sort();
const until = async (isSo: () => boolean) => {
  for (let turns = 0; turns < 200 && !isSo(); turns++) await new Promise(setImmediate);
  assert.ok(isSo());
};

suite("sandboxes through their lives", () => {
  keptTest(
    "a sandbox that is made and started is on its network, and its command runs in it",
    async (kept) => {
      const { id } = await kept.keeper.create(withCommand("web"), { start: true });
      assert.equal(statusOf(kept.record("web")), "running");
      assert.deepEqual(endpointsOf(kept, "web"), ["bridge"]);
      assert.equal(kept.commands.only().place?.netnsPath, kept.keeper.openings.get(id)?.key);
      assert.deepEqual(kept.happenings, ["create web", "start web"]);
    },
  );

  keptTest("one that is only made has no namespace yet; starting it brings it", async (kept) => {
    await kept.keeper.create(withCommand("web"), { start: false });
    assert.equal(statusOf(kept.record("web")), "created");
    assert.deepEqual(kept.modelled(), []);
    await kept.keeper.start("web");
    assert.deepEqual(kept.modelled(), ["web"]);
    await kept.keeper.start("web"); // it runs already
    assert.equal(kept.commands.running.size, 1);
  });

  keptTest("one without a command is open from the beginning, and cannot be started", async (kept) => {
    await kept.keeper.create(request({ Name: "pod" }), { start: false });
    assert.deepEqual(endpointsOf(kept, "pod"), ["bridge"]);
    await assert.rejects(kept.keeper.start("pod"), { code: "NO_COMMAND" });
    await kept.keeper.remove("pod", { force: false });
    assert.deepEqual(kept.modelled(), []);
  });

  keptTest("a command's end closes its sandbox, and is remembered", async (kept) => {
    const { id } = await kept.keeper.create(withCommand("job", { Ports: ["8080:80"] }), { start: true });
    const status = kept.keeper.wait("job", forever);
    kept.commands.only().finish(3);
    assert.equal(await status, 3);
    assert.deepEqual(kept.modelled(), []);
    assert.deepEqual(kept.record("job").ending?.code, 3);
    assert.equal(await kept.keeper.wait("job", forever), 3);
    // Its port is free for another.
    await kept.keeper.create(withCommand("next", { Ports: ["8080:80"] }), { start: true });
    assert.equal(kept.record(id).name, "job");
  });

  keptTest(
    "one that removes itself is gone with its command, and whoever waits hears how it ended",
    async (kept) => {
      await kept.keeper.create(withCommand("once", { AutoRemove: true }), { start: true });
      const status = kept.keeper.wait("once", forever);
      kept.commands.only().finish(7);
      assert.equal(await status, 7);
      assert.throws(() => kept.record("once"), { code: "SANDBOX_NOT_FOUND" });
      assert.equal(kept.commands.forgotten.length, 1);
      await kept.keeper.create(withCommand("once"), { start: false }); // its name is free
    },
  );

  keptTest("stop ends the command by its signal; nothing starts it again", async (kept) => {
    const config = withCommand("web", { StopSignal: "SIGINT", RestartPolicy: { Name: "always" } });
    await kept.keeper.create(config, { start: true });
    const command = kept.commands.only();
    await kept.keeper.stop("web", undefined);
    assert.deepEqual(command.signals, ["SIGINT"]);
    assert.equal(statusOf(kept.record("web")), "exited");
    await kept.keeper.stop("web", undefined); // nothing to do
    kept.clock.wakeAll();
    await new Promise(setImmediate);
    assert.equal(kept.commands.running.size, 0);
  });

  keptTest("restart starts it again in the same namespace", async (kept) => {
    const { id } = await kept.keeper.create(withCommand("web"), { start: true });
    const before = kept.keeper.openings.get(id);
    await kept.keeper.restart("web", 1);
    assert.equal(kept.keeper.openings.get(id), before);
    assert.equal(kept.commands.running.size, 1);
    assert.equal(statusOf(kept.record("web")), "running");
  });

  keptTest("a policy starts it again, later each time, and counts", async (kept) => {
    const config = withCommand("flaky", { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 2 } });
    await kept.keeper.create(config, { start: true });
    for (const restarts of [1, 2]) {
      kept.commands.only().finish(1);
      await until(() => statusOf(kept.record("flaky")) === "restarting");
      assert.deepEqual(kept.modelled(), ["flaky"]); // it keeps its addresses meanwhile
      kept.clock.wakeAll();
      await until(() => statusOf(kept.record("flaky")) === "running");
      assert.equal(kept.record("flaky").restarts, restarts);
    }
    kept.commands.only().finish(1);
    await until(() => statusOf(kept.record("flaky")) === "exited");
    assert.deepEqual(kept.modelled(), []);
    assert.deepEqual(kept.clock.sleeps.slice(-2), [100, 200]);
  });

  keptTest("stopping one that is about to be started again keeps it stopped", async (kept) => {
    await kept.keeper.create(withCommand("web", { RestartPolicy: { Name: "always" } }), { start: true });
    kept.commands.only().finish(1);
    await until(() => statusOf(kept.record("web")) === "restarting");
    await kept.keeper.stop("web", undefined);
    kept.clock.wakeAll();
    await new Promise(setImmediate);
    assert.equal(statusOf(kept.record("web")), "exited");
    assert.equal(kept.commands.running.size, 0);
  });

  keptTest("signals reach the command; without one they are refused", async (kept) => {
    await kept.keeper.create(withCommand("web"), { start: true });
    await kept.keeper.kill("web", "SIGHUP");
    assert.deepEqual(kept.commands.only().signals, ["SIGHUP"]);
    await kept.keeper.stop("web", 0);
    await assert.rejects(kept.keeper.kill("web", "SIGKILL"), { code: "SANDBOX_NOT_RUNNING" });
    await assert.rejects(kept.keeper.kill("web", "SIGNONE"), { code: "INVALID_SIGNAL" });
  });

  const lasting = (name: string) =>
    withCommand(name, { StopSignal: "SIGINT", RestartPolicy: { Name: "always" } });

  keptTest(
    "SIGKILL and the stop signal, by name or number, stop it for good; others do not",
    async (kept) => {
      await kept.keeper.create(lasting("web"), { start: true });
      for (const signal of ["SIGKILL", "9", "int"]) {
        await kept.keeper.kill("web", signal);
        if (signal !== "SIGKILL") kept.commands.only().finish(1);
        await until(() => statusOf(kept.record("web")) === "exited");
        assert.equal(kept.record("web").stopped, true);
        await kept.keeper.start("web");
      }
      await kept.keeper.kill("web", "SIGTERM");
      kept.commands.only().finish(143);
      await until(() => statusOf(kept.record("web")) === "restarting");
    },
  );

  keptTest("what was killed for good is not started again by the daemon that comes then", async (kept) => {
    await kept.keeper.create(lasting("web"), { start: true });
    await kept.keeper.kill("web", "SIGINT"); // it takes its time
    await kept.keeper.close();
    kept.commands.only().finish(130);
    await new Promise(setImmediate);
    await kept.crash();
    assert.equal(statusOf(kept.record("web")), "exited");
    kept.clock.wakeAll();
    await new Promise(setImmediate);
    assert.equal(kept.commands.running.size, 0);
  });

  keptTest("a kill of one that waits to be started again ends the waiting", async (kept) => {
    await kept.keeper.create(lasting("web"), { start: true });
    const status = kept.keeper.wait("web", forever);
    kept.commands.only().finish(3);
    await until(() => statusOf(kept.record("web")) === "restarting");
    await assert.rejects(kept.keeper.kill("web", "SIGHUP"), { code: "SANDBOX_NOT_RUNNING" });
    await kept.keeper.kill("web", "SIGKILL");
    assert.equal(await status, 3);
    assert.deepEqual(kept.modelled(), []);
    kept.clock.wakeAll();
    await new Promise(setImmediate);
    assert.equal(kept.commands.running.size, 0);
    assert.equal(kept.happenings.at(-1), "kill web SIGKILL");
  });

  keptTest("a kill hastens a restart, and does not prevent it", async (kept) => {
    await kept.keeper.create(lasting("web"), { start: true });
    const first = kept.commands.only();
    first.isDeaf = true;
    const restarted = kept.keeper.restart("web", 60);
    await until(() => first.signals.length === 1);
    await kept.keeper.kill("web", "SIGKILL");
    await restarted;
    assert.equal(statusOf(kept.record("web")), "running");
    assert.equal(kept.record("web").stopped, false);
  });

  keptTest(
    "a stop that takes long is given up when the daemon closes, and holds all the same",
    async (kept) => {
      await kept.keeper.create(lasting("web"), { start: true });
      const command = kept.commands.only();
      command.isDeaf = true;
      const stopped = assert.rejects(kept.keeper.stop("web", 600), {
        code: "ABORTED",
        message: "the daemon is closing",
      });
      await kept.keeper.close();
      await stopped;
      await assert.rejects(kept.keeper.stop("web", 600), { code: "ABORTED" });
      await kept.crash();
      assert.deepEqual(command.signals, ["SIGINT"]);
      assert.equal(statusOf(kept.record("web")), "running");
      command.finish(0);
      await until(() => statusOf(kept.record("web")) === "exited");
    },
  );

  keptTest("one that runs is removed by force alone", async (kept) => {
    await kept.keeper.create(withCommand("web"), { start: true });
    await assert.rejects(kept.keeper.remove("web", { force: false }), { code: "SANDBOX_RUNNING" });
    await kept.keeper.remove("web", { force: true });
    assert.deepEqual(kept.modelled(), []);
    assert.equal(kept.commands.running.size, 0);
    assert.deepEqual(kept.happenings.slice(-2), ["die web 137", "destroy web"]);
  });
});

suite("what cannot be leaves nothing", () => {
  const nothingLeft = async (kept: KeptSandboxes) => {
    assert.deepEqual([...kept.book.all()], []);
    assert.deepEqual(kept.modelled(), []);
    assert.equal(kept.commands.running.size, 0);
    await kept.keeper.create(withCommand("web"), { start: true }); // the name is free
  };

  keptTest("a command that cannot be started", async (kept) => {
    kept.commands.refuse = new WeftError("INVALID_COMMAND", "no such command");
    await assert.rejects(kept.keeper.create(withCommand("web"), { start: true }), {
      code: "INVALID_COMMAND",
    });
    await nothingLeft(kept);
  });

  keptTest("a command that cannot be started, after it was recorded", async (kept) => {
    kept.commands.refuseLate = new WeftError("INVALID_COMMAND", "exec failed");
    await assert.rejects(kept.keeper.create(withCommand("web"), { start: true }), {
      code: "INVALID_COMMAND",
    });
    await nothingLeft(kept);
  });

  keptTest("a network that is not there, a port that is taken, an address of another's", async (kept) => {
    await kept.keeper.create(withCommand("first", { Ports: ["8080:80"] }), { start: true });
    await kept.world.controller.createNetwork("bridge", "net", {
      ipam: { subnets: [{ subnet: "10.9.0.0/24" }] },
    });
    const refused = [
      [withCommand("web", { Networks: [{ Network: "nowhere" }] }), "NETWORK_NOT_FOUND"],
      [withCommand("web", { Ports: ["8080:80"] }), "PORT_IN_USE"],
      [withCommand("web", { Networks: [{ Network: "net", IPv4Address: "10.8.0.2" }] }), "INVALID_OPTION"],
      [withCommand("web", { NetworkMode: "hosts" }), "INVALID_OPTION"],
      [withCommand("web", { NetworkMode: "container:nobody" }), "SANDBOX_NOT_FOUND"],
      [withCommand("web", { NetworkMode: "host", Networks: [{ Network: "net" }] }), "INVALID_OPTION"],
      [withCommand("web", { AutoRemove: true, RestartPolicy: { Name: "always" } }), "INVALID_OPTION"],
      [withCommand("we/b"), "INVALID_NAME"],
      [withCommand("first"), "SANDBOX_EXISTS"],
    ] as const;
    for (const [config, code] of refused) {
      const words = JSON.stringify([config.Name, config.Ports, config.NetworkMode, config.Networks]);
      const error = await kept.keeper.create(config, { start: true }).catch((reason: unknown) => reason);
      assert.ok(error instanceof WeftError, words);
      if (code !== "INVALID_OPTION") assert.equal(error.code, code, words);
    }
    await kept.keeper.remove("first", { force: true });
    await nothingLeft(kept);
  });

  keptTest("starting what was made says in its record why it failed", async (kept) => {
    await kept.keeper.create(withCommand("web"), { start: false });
    kept.commands.refuse = new WeftError("INVALID_COMMAND", "no such command");
    await assert.rejects(kept.keeper.start("web"), /no such command/);
    assert.equal(kept.record("web").ending?.error, "no such command");
    assert.deepEqual(kept.modelled(), []);
    await kept.keeper.start("web");
    assert.equal(kept.record("web").ending, undefined);
  });
});

suite("networks of a sandbox", () => {
  const withNet = async (kept: KeptSandboxes) => {
    await kept.world.controller.createNetwork("bridge", "back", {});
    await kept.keeper.create(withCommand("web"), { start: true });
  };

  keptTest(
    "one is connected and disconnected while it runs, and remembers it while it does not",
    async (kept) => {
      await withNet(kept);
      await kept.keeper.connect("web", { Network: "back", Aliases: ["w"] });
      assert.deepEqual(endpointsOf(kept, "web"), ["back", "bridge"]);
      await kept.keeper.disconnect("web", "bridge");
      await kept.keeper.restart("web", 0);
      await kept.keeper.stop("web", 0);
      await kept.keeper.start("web");
      assert.deepEqual(endpointsOf(kept, "web"), ["back"]);
      assert.deepEqual(kept.record("web").networks, [{ Network: "back", Aliases: ["w"] }]);
    },
  );

  keptTest("what it is on already, or not on, is refused", async (kept) => {
    await withNet(kept);
    await assert.rejects(kept.keeper.connect("web", { Network: "bridge" }), { code: "ENDPOINT_EXISTS" });
    await assert.rejects(kept.keeper.disconnect("web", "back"), { code: "ENDPOINT_NOT_FOUND" });
    await assert.rejects(kept.keeper.connect("web", { Network: "nowhere" }), { code: "NETWORK_NOT_FOUND" });
  });

  keptTest("one in another's namespace shares its place, and goes on no network", async (kept) => {
    await withNet(kept);
    await kept.keeper.create(withCommand("side", { NetworkMode: "container:web" }), { start: true });
    const [first, second] = [...kept.commands.running.values()];
    assert.equal(second?.place?.netnsPath, first?.place?.netnsPath);
    await assert.rejects(kept.keeper.connect("side", { Network: "back" }), { code: "INVALID_OPTION" });
    await kept.keeper.stop("web", 0);
    await assert.rejects(kept.keeper.restart("side", 0), { code: "SANDBOX_NOT_RUNNING" });
  });
});

suite("a client that starts the command itself", () => {
  keptTest("it enters, claims, and tells the end", async (kept) => {
    await kept.keeper.create(withCommand("shell"), { start: false });
    const { place } = await kept.keeper.enter("shell");
    const command = kept.commands.launch(place);
    await kept.keeper.claim("shell", command.identity);
    assert.equal(statusOf(kept.record("shell")), "running");
    const status = kept.keeper.wait("shell", forever);
    command.finish(null); // this kernel tells only its parent how it ended
    await kept.keeper.tellExit("shell", command.identity, 5);
    assert.equal(await status, 5);
    assert.deepEqual(kept.modelled(), []);
  });

  keptTest("one that never comes to claim leaves a closed sandbox", async (kept) => {
    await kept.keeper.create(withCommand("shell"), { start: false });
    await kept.keeper.enter("shell");
    assert.deepEqual(kept.modelled(), ["shell"]);
    kept.clock.wakeAll();
    await until(() => kept.modelled().length === 0);
    await assert.rejects(kept.keeper.claim("shell", kept.commands.launch().identity), {
      code: "SANDBOX_NOT_RUNNING",
    });
  });

  keptTest("one whose command has ended, or waits to be started again, is not entered", async (kept) => {
    await kept.keeper.create(withCommand("job"), { start: true });
    const ended = kept.keeper.wait("job", forever);
    kept.commands.only().finish(1);
    await ended;
    const refused = { code: "SANDBOX_NOT_RUNNING", message: "sandbox job is not running" };
    await assert.rejects(kept.keeper.enter("job"), refused);
    assert.deepEqual(kept.modelled(), [], "it took no address again");

    await kept.keeper.create(withCommand("web", { RestartPolicy: { Name: "always" } }), { start: true });
    kept.commands.only().finish(1);
    await until(() => statusOf(kept.record("web")) === "restarting");
    const waits = "sandbox web is restarting, wait until it is running";
    await assert.rejects(kept.keeper.enter("web"), { code: "SANDBOX_NOT_RUNNING", message: waits });
    kept.clock.wakeAll();
    await until(() => statusOf(kept.record("web")) === "running");
  });

  keptTest("a second claim is refused", async (kept) => {
    await kept.keeper.create(withCommand("shell"), { start: true });
    await assert.rejects(kept.keeper.claim("shell", kept.commands.launch().identity), {
      code: "SANDBOX_RUNNING",
    });
  });
});

suite("a daemon that was killed", () => {
  keptTest("finds commands that run, and hears of their ends", async (kept) => {
    await kept.keeper.create(withCommand("web"), { start: true });
    await kept.crash();
    assert.equal(statusOf(kept.record("web")), "running");
    assert.deepEqual(endpointsOf(kept, "web"), ["bridge"]);
    kept.commands.only().finish(4);
    assert.equal(await kept.keeper.wait("web", forever), 4);
  });

  keptTest("says that it cannot know how a command ended meanwhile", async (kept) => {
    await kept.keeper.create(withCommand("web"), { start: true });
    await kept.keeper.close();
    kept.commands.only().finish(0);
    await new Promise(setImmediate);
    await kept.crash();
    assert.equal(statusOf(kept.record("web")), "exited");
    assert.equal(kept.record("web").ending?.code, null);
    assert.deepEqual(kept.modelled(), []);
  });

  keptTest("starts again what is always to run", async (kept) => {
    await kept.keeper.create(withCommand("web", { RestartPolicy: { Name: "always" } }), { start: true });
    await kept.keeper.close();
    kept.commands.only().finish(0);
    await new Promise(setImmediate);
    await kept.crash();
    kept.clock.wakeAll();
    await until(() => statusOf(kept.record("web")) === "running");
  });

  keptTest("has nothing of a making that was cut off, and leaves no network behind", async (kept) => {
    // Killed between the model's sandbox and the command's record: what is in the model has no record.
    await kept.world.controller.createSandbox("web", {});
    await kept.crash();
    assert.deepEqual(kept.modelled(), []);
    await kept.keeper.create(withCommand("web"), { start: true });
  });

  keptTest("takes back a connecting that was cut off", async (kept) => {
    await kept.world.controller.createNetwork("bridge", "back", {});
    const { id } = await kept.keeper.create(withCommand("web"), { start: true });
    await kept.keeper.openings.get(id)?.connect(kept.world.controller.network("back"));
    await kept.crash();
    assert.deepEqual(endpointsOf(kept, "web"), ["bridge"]);
  });

  keptTest(
    "ends a disconnecting that was cut off when the endpoint had left and was there still",
    async (kept) => {
      const back = await kept.world.controller.createNetwork("bridge", "back", {});
      const { id } = await kept.keeper.create(withCommand("web"), { start: true });
      const endpoint = await kept.keeper.openings.get(id)?.connect(back);
      await endpoint?.leave();
      await kept.crash();
      const { controller } = kept.world;
      await controller.network("back").delete(); // it has no endpoint
      await kept.keeper.remove("web", { force: true });
      await controller.idle();
      assert.deepEqual(kept.errors, []);
    },
  );
});

const refusal = async (work: Promise<unknown>) =>
  (await work.then(() => assert.fail("it was not refused"), String)).replace(/^WeftError: /, "");

keptTest(
  "a sandbox of the host's network is on that alone, and its record stays",
  async ({ keeper, book }) => {
    await keeper.create(withCommand("web", { NetworkMode: "host" }), { start: true });
    const before = book.find("web");
    assert.equal(
      await refusal(keeper.disconnect("web", "host")),
      "cannot disconnect container from host network - container was created in host network mode",
    );
    assert.equal(
      await refusal(keeper.connect("web", { Network: "bridge" })),
      "container sharing network namespace with another container or host cannot be connected to any other network",
    );
    assert.equal(
      await refusal(keeper.connect("web", { Network: "host" })),
      "endpoint with name web already exists in network host",
    );
    assert.equal(
      await refusal(keeper.disconnect("web", "bridge")),
      "sandbox web is not connected to network bridge",
    );
    assert.deepEqual(book.find("web"), before);
  },
);

keptTest("others do not come to the host's network, nor one in another's namespace to any", async (kept) => {
  const { keeper, book } = kept;
  await keeper.create(withCommand("web"), { start: true });
  await keeper.create(withCommand("beside", { NetworkMode: "container:web" }), { start: true });
  const before = [book.find("web"), book.find("beside")];
  assert.equal(
    await refusal(keeper.connect("web", { Network: "host" })),
    "cannot connect container to host network - container must be created in host network mode",
  );
  assert.equal(
    await refusal(keeper.disconnect("web", "host")),
    "sandbox web is not connected to network host",
  );
  assert.equal(
    await refusal(keeper.connect("web", { Network: "none" })),
    "container cannot be connected to multiple networks with one of the networks in private (none) mode",
  );
  assert.equal(
    await refusal(keeper.connect("beside", { Network: "bridge" })),
    "container sharing network namespace with another container or host cannot be connected to any other network",
  );
  assert.equal(
    await refusal(keeper.disconnect("beside", "bridge")),
    "sandbox beside is not connected to network bridge",
  );
  assert.deepEqual([book.find("web"), book.find("beside")], before);
});
