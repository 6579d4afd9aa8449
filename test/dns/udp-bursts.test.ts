import assert from "node:assert/strict";
import { test } from "node:test";
import { newCounters } from "../../src/dns/counters.ts";
import type { Respond } from "../../src/dns/responder.ts";
import { serveDns } from "../../src/dns/server.ts";
import * as sys from "../../src/kernel/syscalls.ts";
import { boundPair, openSockets } from "./bound-sockets.ts";
import { BurstClient } from "./burst-client.ts";

interface Rig {
  readonly udpFd: number;
  readonly counters: ReturnType<typeof newCounters>;
  /** A client of the server. */
  readonly client: () => BurstClient;
}

/** Runs `use` against a server, and checks that nothing of it is left. */
async function serving(respond: Respond, use: (rig: Rig) => Promise<void>): Promise<void> {
  const before = openSockets();
  const { fds, udpPort } = boundPair();
  const counters = newCounters();
  const server = await serveDns({ ...fds, respond, counters });
  const clients: BurstClient[] = [];
  const client = () => {
    const made = new BurstClient(udpPort);
    clients.push(made);
    return made;
  };
  try {
    await use({ udpFd: fds.udpFd, counters, client });
  } finally {
    for (const one of clients) one.close();
    await server.close();
  }
  assert.deepEqual(openSockets(), before);
}

const echo: Respond = (message) => message;
const numbered = (count: number, prefix = "") => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

test("a burst longer than one call takes is answered whole, in its order, to each client its own", async () => {
  await serving(echo, async ({ client, counters }) => {
    const [a, b] = [client(), client()];
    for (const question of numbered(150)) {
      a.send(`a${question}`);
      b.send(`b${question}`);
    }
    const both = await Promise.all([a.take(150), b.take(150)]);
    assert.deepEqual(both, [numbered(150, "a"), numbered(150, "b")]);
    assert.equal(counters.dropped, 0);
  });
});

test("what others send waits for no more than a turn's share of a flood", async () => {
  const order: string[] = [];
  const respond: Respond = (message) => {
    order.push(message.toString());
    return message;
  };
  await serving(respond, async (flooded) => {
    const flooder = flooded.client();
    await serving(respond, async (calm) => {
      const asker = calm.client();
      flooder.send(...numbered(230, "flood"));
      asker.send("calm");
      await Promise.all([flooder.take(230), asker.take(1)]);
      const before = order.indexOf("calm");
      // 128 by calls of our own, and the 32 that Node itself takes from a socket in a turn.
      assert.ok(before <= 160, `${before} queries of the flood went before`);
    });
  });
});

test("queries that are much work are fewer in a turn, none is lost, and each answer finds its client", async () => {
  const order: string[] = [];
  const long: Respond = (message) => {
    order.push(message.toString());
    return message.toString() === "calm" ? message : Buffer.concat([message, Buffer.alloc(20_000)]);
  };
  await serving(long, async (flooded) => {
    const flooders = [flooded.client(), flooded.client()];
    await serving(long, async (calm) => {
      const asker = calm.client();
      for (const [i, flooder] of flooders.entries()) flooder.send(...numbered(60, `${i}-`));
      asker.send("calm");
      await asker.take(1);
      const before = order.indexOf("calm");
      assert.ok(before <= 8, `${before} queries of the flood went before`); // 20,000 bytes are 40 of 128 units
      for (const [i, flooder] of flooders.entries()) {
        const answers = await flooder.take(60);
        assert.deepEqual(
          answers.map((answer) => answer.slice(0, answer.indexOf("\0"))),
          numbered(60, `${i}-`),
        );
      }
      assert.equal(flooded.counters.dropped, 0);
    });
  });
});

test("queries that wait for a later turn when the socket is closed are forgotten", async () => {
  const long: Respond = () => Buffer.alloc(60_000);
  for (let round = 0; round < 5; round++) {
    await serving(long, async ({ client }) => {
      const flooder = client();
      flooder.send(...numbered(100));
      await flooder.take(1);
    });
  }
});

test("late answers find their clients, whatever order they come in and whatever came meanwhile", async () => {
  const waiting: (() => void)[] = [];
  const respond: Respond = (message) => {
    if (message[0] !== "l".charCodeAt(0)) return message;
    return new Promise((resolve) => waiting.push(() => resolve(message)));
  };
  await serving(respond, async ({ client }) => {
    const clients = numbered(20).map(() => client());
    for (const [i, one] of clients.entries()) one.send(`late${i}`, `soon${i}`);
    for (const [i, one] of clients.entries()) assert.deepEqual(await one.take(1), [`soon${i}`]);
    const noise = client();
    noise.send(...numbered(100)); // which uses the memory that the late ones came by
    await noise.take(100);
    assert.equal(waiting.length, 20);
    for (const release of waiting.reverse()) release();
    for (const [i, one] of clients.entries()) assert.deepEqual(await one.take(1), [`late${i}`]);
  });
});

test("messages that are not answered leave no gap", async () => {
  const odd: Respond = (message) => (Number(message.toString()) % 2 === 0 ? undefined : message);
  await serving(odd, async ({ client }) => {
    const one = client();
    one.send(...numbered(100));
    assert.deepEqual(
      await one.take(50),
      numbered(100).filter((_, i) => i % 2 === 1),
    );
  });
});

test("a message longer than 4096 bytes is cut off, be it the first of a burst or not", async () => {
  const length: Respond = (message) => Buffer.from(String(message.length));
  await serving(length, async ({ client }) => {
    const one = client();
    one.send(...["a", "b", "c"].map((letter) => letter.repeat(5000)), "d");
    assert.deepEqual(await one.take(4), ["4096", "4096", "4096", "1"]);
  });
});

test("answers as long as a datagram can be all go", async () => {
  const longest: Respond = (message) => Buffer.alloc(65_507, message);
  await serving(longest, async ({ client, counters }) => {
    for (let round = 0; round < 5; round++) {
      const clients = ["a", "b", "c", "d"].map((letter) => ({ letter, one: client() }));
      for (const { letter, one } of clients) one.send(letter);
      for (const { letter, one } of clients) assert.deepEqual(await one.take(1), [letter.repeat(65_507)]);
    }
    assert.equal(counters.dropped, 0);
  });
});

test("clients that are gone when their answer comes harm nobody, even where the socket is told of it", async () => {
  await serving(echo, async ({ udpFd, client }) => {
    sys.setsockopt(udpFd, 0, 11, 1); // IPPROTO_IP, IP_RECVERR: what comes back by ICMP is the socket's error
    const here = client();
    for (let round = 0; round < 3; round++) {
      const gone = numbered(30).map(() => client());
      for (const [i, one] of gone.entries()) {
        one.send("gone");
        here.send(String(i));
      }
      for (const one of gone) one.close();
      assert.deepEqual(await here.take(30), numbered(30));
    }
  });
});
