import assert from "node:assert/strict";
import http from "node:http";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { Event, EventQuery, Network } from "../../../src/api/index.ts";
import { serveHttp } from "../../../src/api/index.ts";
import { WeftError } from "../../../src/core/index.ts";
import { everythingOf, fakeService, sampleEvent, sampleNetwork } from "../fake-service.ts";
import { ask, logTo, withServer } from "../http-fixture.ts";

describe("a long list", () => {
  it("is read as fast as its client takes it, and whole", async () => {
    const total = 20_000;
    let read = 0;
    const networks = Array.from({ length: total }, (_, n) =>
      counted({ ...sampleNetwork, Name: `net${n}` }, () => read++),
    );
    const { service } = fakeService({ networks: () => networks });
    await withServer(service, async ({ socketPath }) => {
      const answer = await headOf(socketPath, "/v1/networks");
      while (read === 0) await turn();
      for (let n = 0; n < 50; n++) await turn();
      assert.ok(read < total / 5, `${read} of ${total} were read ahead`);
      const text = (await everythingOf(answer)).join("");
      assert.deepEqual(
        JSON.parse(text).map(({ Name }: Network) => Name),
        networks.map(({ Name }) => Name),
      );
    });
  });

  it("is read no further when its client vanishes", async () => {
    const total = 20_000;
    let read = 0;
    const networks = Array.from({ length: total }, () => counted(sampleNetwork, () => read++));
    const { service } = fakeService({ networks: () => networks });
    await withServer(service, async ({ socketPath, server, log }) => {
      const answer = await headOf(socketPath, "/v1/networks");
      answer.destroy();
      while (server.connections > 0) await turn();
      await turn();
      assert.ok(read < total / 5);
      assert.deepEqual(
        log.map(({ level, fields }) => [level, fields.answered]),
        [["debug", false]],
      );
    });
  });

  it("may be empty", async () => {
    const { service } = fakeService({ networks: () => [] });
    await withServer(service, async ({ client }) => assert.deepEqual(await client.networks(), []));
  });
});

describe("a stream of events", () => {
  it("resumes without loss or doubles, also with another daemon", async () => {
    const journal = new EventJournal();
    const { service } = fakeService({ events: (query) => journal.events(query) });
    const seen: string[] = [];
    await withServer(service, async ({ client, server, socketPath }) => {
      for (let n = 1; n <= 3; n++) journal.append();
      const reading = (async () => {
        for await (const { Id } of client.events({ since: "0" })) seen.push(Id);
      })();
      const lost = assert.rejects(reading, { code: "ANSWER_LOST" });
      while (seen.length < 3) await turn();
      journal.append();
      await server.close(0); // the reader may have the fourth event by now, or not
      await lost;
      journal.append();

      const next = await serveHttp(service, { listen: { socketPath }, log: logTo([]) });
      try {
        for await (const { Id } of client.events({ since: seen.at(-1) })) {
          seen.push(Id);
          if (Id === "5") journal.append();
          if (Id === "6") break;
        }
        assert.deepEqual(seen, ["1", "2", "3", "4", "5", "6"]);
        while (next.connections > 0) await turn();
        assert.equal(journal.readers, 0);
      } finally {
        await next.close(0);
      }
    });
  });

  it("has empty lines when there is nothing to tell, which a client passes over", async () => {
    const journal = new EventJournal();
    const { service } = fakeService({ events: (query) => journal.events(query) });
    await withServer(
      service,
      async ({ socketPath, client }) => {
        const answer = await headOf(socketPath, "/v1/events");
        let text = "";
        for await (const chunk of answer) {
          text += chunk;
          if (text.length > 3) break;
        }
        assert.equal(text.replaceAll("\n", ""), "");

        const first = client.events()[Symbol.asyncIterator]().next();
        while (journal.readers === 0) await turn();
        for (let beats = 0; beats < 20; beats++) await turn();
        journal.append();
        assert.deepEqual((await first).value, sampleEvent(1));
      },
      { limits: { heartbeatMs: 1, firstItemMs: 1 } },
    );
  });

  it("ends its reading when its client vanishes", async () => {
    const journal = new EventJournal();
    const { service } = fakeService({ events: (query) => journal.events(query) });
    await withServer(service, async ({ client, log }) => {
      const abort = new AbortController();
      const next = client.events({ signal: abort.signal }).next();
      while (journal.readers === 0) await turn();
      abort.abort();
      await assert.rejects(next, { code: "ABORTED" });
      while (journal.readers > 0) await turn();
      assert.ok(log.every(({ level }) => level === "debug"));
    });
  });
});

describe("a stream", () => {
  it("that is refused at once has a status", async () => {
    const { service } = fakeService({
      // biome-ignore lint/correctness/useYield: it refuses before its first item
      async *logs() {
        await turn();
        throw new WeftError("SANDBOX_NOT_FOUND", "No such sandbox: db");
      },
    });
    await withServer(service, async ({ client, socketPath }) => {
      await assert.rejects(everythingOf(client.logs("db")), { code: "SANDBOX_NOT_FOUND" });
      assert.equal((await ask(socketPath, "GET", "/v1/sandboxes/db/logs")).status, 404);
    });
  });

  it("that fails in its midst is cut off, so that no part is taken for the whole", async () => {
    const failure = new WeftError("STORE", "disk gone");
    const { service } = fakeService({
      async *backup() {
        yield Buffer.from("half");
        throw failure;
      },
    });
    await withServer(service, async ({ client, log }) => {
      const chunks: Uint8Array[] = [];
      await assert.rejects(
        async () => {
          for await (const chunk of client.backup()) chunks.push(chunk);
        },
        { code: "ANSWER_LOST" },
      );
      assert.equal(Buffer.concat(chunks).toString(), "half");
      assert.deepEqual(
        log.filter(({ level }) => level === "error").map(({ fields }) => fields.err),
        [failure],
      );
    });
  });

  it("that tells nothing for long has its head all the same", async () => {
    const { service } = fakeService({ logs: (_reference, { signal }) => silence(signal) });
    await withServer(
      service,
      async ({ socketPath }) => {
        const answer = await headOf(socketPath, "/v1/sandboxes/db/logs?follow");
        assert.equal(answer.statusCode, 200);
        answer.destroy();
      },
      { limits: { firstItemMs: 1 } },
    );
  });

  it("of bytes is read as fast as its client takes it", async () => {
    let given = 0;
    const { service } = fakeService({
      async *logs() {
        for (; given < 300; given++) yield Buffer.alloc(65_536, given % 256);
      },
    });
    await withServer(service, async ({ socketPath }) => {
      const answer = await headOf(socketPath, "/v1/sandboxes/db/logs");
      for (let n = 0; n < 100; n++) await turn();
      assert.ok(given < 100, `${given} of 300 pieces were read ahead`);
      let length = 0;
      for await (const chunk of answer) length += chunk.length;
      assert.equal(length, 300 * 65_536);
    });
  });
});

/** An answer whose body nobody reads yet. */
function headOf(socketPath: string, path: string): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = http.get({ socketPath, path, agent: false }, resolve);
    request.on("error", reject);
  });
}

/** `network`, which tells when it is written as JSON. */
function counted(network: Network, told: () => void): Network {
  const toJSON = () => {
    told();
    return network;
  };
  return Object.defineProperty({ ...network }, "toJSON", { value: toJSON });
}

async function* silence(signal: AbortSignal): AsyncGenerator<Uint8Array> {
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
}

/** Events with numbers for ids, kept for ever, as a daemon's store keeps them. */
class EventJournal {
  readonly #events: Event[] = [];
  readonly #sleepers = new Set<() => void>();
  readers = 0;

  append(): void {
    this.#events.push(sampleEvent(this.#events.length + 1));
    for (const wake of this.#sleepers) wake();
  }

  async *events({ since, signal }: EventQuery): AsyncGenerator<Event> {
    this.readers++;
    try {
      let at = since === undefined ? this.#events.length : Number(since);
      while (!signal.aborted) {
        const event = this.#events[at];
        if (event === undefined) await this.#more(signal);
        else {
          at++;
          yield event;
        }
      }
    } finally {
      this.readers--;
    }
  }

  #more(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#sleepers.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#sleepers.add(wake);
      signal.addEventListener("abort", wake);
    });
  }
}
