import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { suite, test } from "node:test";
import type { Worker } from "node:worker_threads";
import type { ControllerEvent } from "../../src/index.ts";
import type { NameAnswer } from "./agent-protocol.ts";
import { addressesOf } from "./sandbox-addresses.ts";
import { setHostResolvConf, withHost } from "./test-host.ts";

/** Threads that this process starts from now on, until `end`. */
function startedThreads(): { readonly threads: readonly Worker[]; end(): void } {
  const threads: Worker[] = [];
  const note = (worker: Worker) => void threads.push(worker);
  process.on("worker", note);
  return { threads, end: () => void process.off("worker", note) };
}

function known(address: string): NameAnswer {
  return { rcode: "NOERROR", data: [address] };
}

suite("the end of the resolver's thread", () => {
  test("names answer again, those that are published meanwhile too, and nothing leaks", () =>
    withHost(
      async (host) => {
        const started = startedThreads();
        const controller = await host.open();
        const first = started.threads[0]; // a controller's first thread is the resolver's
        const events: ControllerEvent["event"][] = [];
        controller.events.subscribe(({ event }) => void events.push(event));
        const network = await controller.createNetwork("bridge", "blue");
        const web = await controller.createSandbox("web", { endpoints: [{ network }] });
        const client = await controller.createSandbox("client", { endpoints: [{ network }] });
        const agent = await host.agent(client);
        const webIs = known((await addressesOf(web)).ipv4);
        assert.deepEqual(await agent.name("web"), webIs);

        const threadsBefore = started.threads.length;
        const ended = first?.terminate();
        const late = await controller.createSandbox("late", { endpoints: [{ network }] });
        await ended;
        assert.deepEqual(events, ["resolver-crashed"]);
        const lateIs = known((await addressesOf(late)).ipv4);
        const lateAgent = await host.agent(late);
        const allAnswer = async (transport: "udp" | "tcp") => {
          assert.deepEqual(await agent.name("web", "A", transport), webIs);
          assert.deepEqual(await agent.name("late.blue", "A", transport), lateIs);
          assert.deepEqual(await lateAgent.name("web", "A", transport), webIs);
        };
        await allAnswer("udp");
        const openBefore = openDescriptors();

        const [second, ...others] = started.threads.slice(threadsBefore);
        assert.deepEqual(others, []);
        await second?.terminate();
        assert.equal((await controller.stats()).dns?.sandboxes, 3);
        assert.deepEqual(events, ["resolver-crashed", "resolver-crashed"]);
        await allAnswer("udp");
        assert.equal(openDescriptors(), openBefore);
        await allAnswer("tcp");
        assert.deepEqual(await controller.drift(), []);
        await late.delete();
        assert.equal((await agent.name("late")).rcode, "NXDOMAIN");
        started.end();
      },
      {
        opened: false,
        tolerated: ["resolver-crashed"],
        prepare: async (host) => setHostResolvConf(host, "search example.test\n"),
      },
    ));
});

function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}
