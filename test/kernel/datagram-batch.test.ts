import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DatagramBatch, type DatagramBatchInit } from "../../src/kernel/datagram-batch.ts";
import { closeFd, isKernelError, openUdpAndTcp } from "../../src/kernel/index.ts";
import { BurstClient } from "../dns/burst-client.ts";
import { until } from "../e2e/until.ts";
import { withNetns } from "../netns-fixture.ts";

const port = 5353;
const small: DatagramBatchInit = { slots: 4, maxBytes: 64, replyBytes: 256 };

interface Rig {
  readonly fd: number;
  /** Runs programs in the namespace. */
  readonly exec: (command: string, ...args: readonly string[]) => string;
  /** A client of the socket. */
  readonly client: () => BurstClient;
}

/** Runs `work` with a UDP socket in a namespace of its own. */
async function withSocket(work: (rig: Rig) => Promise<void> | void): Promise<void> {
  await withNetns(1, async ([ns]) => {
    ns.exec("ip", "link", "set", "lo", "up");
    const { udpFd, tcpFd } = openUdpAndTcp(ns.path, [127, 0, 0, 1], port);
    const clients: BurstClient[] = [];
    const client = () => {
      const made = ns.run(() => new BurstClient(port));
      clients.push(made);
      return made;
    };
    try {
      await work({ fd: udpFd, exec: ns.exec, client });
    } finally {
      for (const one of clients) one.close();
      closeFd(udpFd);
      closeFd(tcpFd);
    }
  });
}

/** Takes what waits as far as the batch goes, and answers each with `reply`. */
function answerAll(batch: DatagramBatch, fd: number, reply: (message: Buffer) => Uint8Array): number {
  const count = batch.receive(fd, Number.POSITIVE_INFINITY);
  for (let slot = 0; slot < count; slot++) batch.reply(fd, slot, reply(batch.message(slot)));
  return count;
}

test("each datagram is answered to its sender, however many wait", async () => {
  await withSocket(async ({ fd, client }) => {
    const batch = new DatagramBatch(small);
    const [a, b] = [client(), client()];
    assert.equal(batch.receive(fd, 4), 0);
    for (let i = 0; i < 5; i++) {
      a.send(`a${i}`);
      b.send(`b${i}`);
    }
    const counts: number[] = [];
    do {
      counts.push(answerAll(batch, fd, (message) => Buffer.concat([message, Buffer.from("!")])));
      assert.equal(batch.flush(fd), 0);
    } while (counts.at(-1) !== 0);
    assert.deepEqual(counts, [4, 4, 2, 0]);
    assert.deepEqual(await a.take(5), ["a0!", "a1!", "a2!", "a3!", "a4!"]);
    assert.deepEqual(await b.take(5), ["b0!", "b1!", "b2!", "b3!", "b4!"]);
  });
});

test("no more are received than asked for; an empty one counts, a long one is cut off", async () => {
  await withSocket(({ fd, client }) => {
    const batch = new DatagramBatch(small);
    const one = client();
    one.send("", "x".repeat(65), "y".repeat(64), "later");
    assert.equal(batch.receive(fd, 3), 3);
    assert.deepEqual(
      [0, 1, 2].map((slot) => batch.message(slot).toString()),
      ["", "x".repeat(64), "y".repeat(64)],
    );
    assert.equal(batch.receive(fd, 3), 1);
    assert.equal(batch.message(0).toString(), "later");
  });
});

test("a message is the receiver's own, whatever comes after it", async () => {
  await withSocket(({ fd, client }) => {
    const batch = new DatagramBatch(small);
    const one = client();
    one.send("first");
    batch.receive(fd, 1);
    const [message, peer] = [batch.message(0), batch.peer(0)];
    client().send("other");
    batch.receive(fd, 1);
    assert.equal(message.toString(), "first");
    assert.equal(peer.address, "127.0.0.1");
    assert.notEqual(batch.peer(0).port, peer.port);
  });
});

test("replies beyond the room for them push the former ones out; one that never fits is lost", async () => {
  await withSocket(async ({ fd, client }) => {
    const batch = new DatagramBatch(small);
    const one = client();
    one.send("1", "2", "3", "4");
    const replies = ["a".repeat(200), "b".repeat(200), "c".repeat(257), "d".repeat(256)];
    assert.equal(
      answerAll(batch, fd, (message) => Buffer.from(replies[Number(message.toString()) - 1] ?? "")),
      4,
    );
    assert.equal(batch.flush(fd), 1);
    assert.deepEqual(await one.take(3), [replies[0], replies[1], replies[3]]);
    assert.equal(batch.flush(fd), 0);
  });
});

test("more replies than slots are sent, as many as there are", async () => {
  await withSocket(async ({ fd, client }) => {
    const batch = new DatagramBatch(small);
    const one = client();
    one.send("?");
    batch.receive(fd, 1);
    for (let i = 0; i < 11; i++) batch.reply(fd, 0, Buffer.from(String(i)));
    assert.equal(batch.flush(fd), 0);
    assert.deepEqual(
      await one.take(11),
      Array.from({ length: 11 }, (_, i) => String(i)),
    );
  });
});

test("a reply that the kernel refuses is counted, and those around it go", async () => {
  await withSocket(async ({ fd, exec, client }) => {
    const [good, bad] = [client(), client()];
    const batch = new DatagramBatch(small);
    bad.send("who");
    batch.receive(fd, 1);
    exec("nft", "add table ip t; add chain ip t out { type filter hook output priority 0; }");
    exec("nft", `add rule ip t out udp dport ${batch.peer(0).port} drop`);
    good.send("1");
    bad.send("2");
    good.send("3");
    let [answered, refused] = [0, 0];
    // The kernel may be busy with the rules still, and deliver a moment later.
    await until("all three were answered", () => {
      answered += answerAll(batch, fd, (message) => message);
      refused += batch.flush(fd);
      return answered === 3;
    });
    assert.equal(refused, 1);
    assert.deepEqual(await good.take(2), ["1", "3"]);
  });
});

test("a datagram that came another way is answered too", async () => {
  await withSocket(async ({ fd, client }) => {
    const batch = new DatagramBatch(small);
    const [one, other] = [client(), client()];
    one.send("1");
    batch.receive(fd, 1);
    const peer = batch.peer(0);
    other.send("2", "3", "4", "5");
    batch.reply(fd, batch.place(peer), Buffer.from("placed"));
    answerAll(batch, fd, (message) => message);
    assert.equal(batch.flush(fd), 0);
    assert.deepEqual(await one.take(1), ["placed"]);
    assert.deepEqual(await other.take(4), ["2", "3", "4", "5"]);
  });
});

test("a placed peer is the one that was given", () => {
  const batch = new DatagramBatch(small);
  const byte = fc.integer({ min: 0, max: 255 });
  const address = fc.tuple(byte, byte, byte, byte).map((bytes) => bytes.join("."));
  fc.assert(
    fc.property(address, fc.integer({ min: 0, max: 65_535 }), (ip, udpPort) => {
      const peer = { address: ip, port: udpPort };
      assert.deepEqual(batch.peer(batch.place(peer)), peer);
    }),
  );
});

test("what cannot be received from is refused with the kernel's word", () => {
  const batch = new DatagramBatch(small);
  assert.throws(
    () => batch.receive(99_999, 1),
    (error) => isKernelError(error, "EBADF"),
  );
});
