import assert from "node:assert/strict";
import { test } from "node:test";
import { readMessages } from "../../../../src/kernel/netlink/message.ts";
import {
  accept,
  addChain,
  addElements,
  addRule,
  addSet,
  addTable,
  commit,
  decodeNotification,
  deleteElements,
  deleteTable,
  getGeneration,
  NFNLGRP_NFTABLES,
  type Notification,
  rule,
  type SetType,
} from "../../../../src/kernel/netlink/nftables/index.ts";
import { NETLINK_NETFILTER } from "../../../../src/kernel/netlink/socket.ts";
import * as sys from "../../../../src/kernel/syscalls.ts";
import { type TestNetns, withNetns } from "../../../netns-fixture.ts";

const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;

/** Runs `work` while a socket in the namespace listens; gives what it heard. */
function listening(host: TestNetns, work: () => void): readonly Notification[] {
  const fd = host.run(() => sys.socket(sys.AF_NETLINK, sys.SOCK_RAW, NETLINK_NETFILTER));
  try {
    // A socket without a port of its own hears nothing. struct sockaddr_nl: the kernel chooses the port.
    sys.bind(fd, Buffer.concat([Uint8Array.of(sys.AF_NETLINK), Buffer.alloc(11)]), "listener");
    sys.setReceiveTimeout(fd, 5000);
    sys.setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NFNLGRP_NFTABLES);
    work();
    const buffer = Buffer.alloc(1 << 16);
    const heard: Notification[] = [];
    // The kernel tells a transaction before it acknowledges it, and its generation last.
    while (heard.filter(({ event }) => event === "generation").length < 3) {
      const length = sys.recv(fd, buffer, 0, "notifications");
      for (const message of readMessages(Buffer.from(buffer.subarray(0, length)))) {
        const notification = decodeNotification(message);
        if (notification !== undefined) heard.push(notification);
      }
    }
    return heard;
  } finally {
    sys.close(fd);
  }
}

test("a monitor hears what transactions did, and the generations they made", () =>
  withNetns(1, ([host]) => {
    const socket = host.netlink(NETLINK_NETFILTER);
    const name = { family: "inet", table: "t", set: "s", chain: "c" } as const;
    const type = { key: ["ifname"] } as const satisfies SetType;
    const elements = [{ key: ["br0"] }];
    const before = getGeneration(socket);
    const heard = listening(host, () => {
      const table = [...addTable(name), ...addChain(name), ...addSet(name, type)];
      commit(socket, [
        ...table,
        ...addRule(name, rule("inet", [accept])),
        ...addElements(name, type, elements),
      ]);
      commit(socket, deleteElements(name, type, elements));
      commit(socket, deleteTable(name));
    });
    assert.deepEqual(
      heard.map(({ event }) => event),
      [
        ...["new-table", "new-chain", "new-set", "new-rule", "new-elements", "generation"],
        ...["delete-elements", "generation"],
        ...["delete-rule", "delete-set", "delete-chain", "delete-table", "generation"],
      ],
    );
    const changed = heard.flatMap((one) => ("elements" in one ? [one.elements(type)] : []));
    assert.deepEqual(changed, [elements, elements]);
    const made = heard.flatMap((one) => (one.event === "generation" ? [one.generation] : []));
    assert.deepEqual(
      made.map(({ id, pid }) => [id - before, pid]),
      [
        [1, process.pid],
        [2, process.pid],
        [3, process.pid],
      ],
    );
  }));
