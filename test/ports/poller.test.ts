import assert from "node:assert/strict";
import { existsSync, writeSync } from "node:fs";
import { test } from "node:test";
import * as sys from "../../src/kernel/syscalls.ts";
import { DescriptorLedger, newLedgerMemory } from "../../src/ports/descriptor-ledger.ts";
import { Poller } from "../../src/ports/poller.ts";

/** A descriptor that can be read, until it is. */
function readable(): number {
  const fd = sys.eventfd();
  writeSync(fd, Buffer.from(BigUint64Array.of(1n).buffer));
  return fd;
}

test("only what is ready for what it is waited for is told", () => {
  const poller = new Poller();
  const [full, empty] = [readable(), sys.eventfd()];
  const told: string[] = [];
  poller.add(full, sys.EPOLLIN, (events) => told.push(`full ${events}`));
  poller.add(empty, sys.EPOLLIN, (events) => told.push(`empty ${events}`));
  assert.equal(poller.wait(0), 1);
  poller.change(full, 0);
  assert.equal(poller.wait(0), 0);
  poller.change(empty, sys.EPOLLOUT);
  assert.equal(poller.wait(0), 1);
  poller.remove(empty);
  poller.remove(empty);
  poller.change(empty, sys.EPOLLOUT);
  assert.equal(poller.wait(0), 0);
  assert.deepEqual(told, [`full ${sys.EPOLLIN}`, `empty ${sys.EPOLLOUT}`]);
  for (const fd of [full, empty, poller.fd]) sys.close(fd);
});

test("what is told of a descriptor that was closed meanwhile does not reach the next of its number", () => {
  const poller = new Poller();
  const fds = [readable(), readable()];
  const told: string[] = [];
  for (const fd of fds) {
    // Whichever comes first closes the other, whose number goes to a new one at once.
    poller.add(fd, sys.EPOLLIN, () => {
      told.push("first");
      poller.remove(fd);
      const other = fds.find((one) => one !== fd) ?? -1;
      poller.forget(other);
      sys.close(other);
      assert.equal(readable(), other);
      poller.add(other, sys.EPOLLIN, () => told.push("heir"));
    });
  }
  assert.equal(poller.wait(0), 2);
  assert.deepEqual(told, ["first"]);
  assert.equal(poller.wait(0), 1);
  assert.deepEqual(told, ["first", "heir"]);
  for (const fd of [...fds, poller.fd]) sys.close(fd);
});

test("a ledger's descriptors can be closed by whoever has its memory", () => {
  const memory = newLedgerMemory();
  const ledger = new DescriptorLedger(memory);
  const isOpen = (fd: number) => existsSync(`/proc/self/fd/${fd}`);
  // More than one word's worth of bits, the highest of a word among them.
  const fds = Array.from({ length: 70 }, () => ledger.own(sys.eventfd()));
  const [first = -1, ...rest] = fds;
  ledger.close(first);
  const heir = sys.eventfd();
  assert.equal(heir, first, "its number is another's now");
  const survivor = new DescriptorLedger(memory);
  survivor.closeAll();
  assert.deepEqual(rest.filter(isOpen), []);
  assert.equal(isOpen(heir), true);
  survivor.closeAll();
  sys.close(heir);
});
