import assert from "node:assert/strict";
import { test } from "node:test";
import { isWeftError, parseInterfaceAddress } from "../../../src/core/index.ts";
import { isKernelError } from "../../../src/kernel/kernel-error.ts";
import type { NetlinkMessage, NetlinkRequest } from "../../../src/kernel/netlink/message.ts";
import {
  addAddress,
  changeLink,
  createLink,
  decodeLink,
  deleteLink,
  getLink,
  listLinks,
} from "../../../src/kernel/netlink/rtnetlink/index.ts";
import { NETLINK_ROUTE, NetlinkSocket } from "../../../src/kernel/netlink/socket.ts";
import * as sys from "../../../src/kernel/syscalls.ts";
import { withNetns } from "../../netns-fixture.ts";
import { withScriptedKernel } from "./scripted-kernel.ts";

const bridge = (name: string) => createLink({ name, kind: { kind: "bridge" } });

test("the outcomes of a batch come in its order, and a refusal stops none of the others", async () => {
  await withNetns(1, ([ns]) => {
    const socket = ns.netlink();
    const outcomes = socket.request([
      bridge("a"),
      bridge("a"),
      deleteLink("nothing"),
      bridge("b"),
      deleteLink(4711),
    ]);
    assert.deepEqual(
      outcomes.map((one) => one?.errnoName),
      [undefined, "EEXIST", "ENODEV", undefined, "ENODEV"],
    );
    assert.equal(listLinks(socket).length, 3);
  });
});

test("a refusal carries the call, its object and the kernel's own words", async () => {
  await withNetns(1, ([ns]) => {
    const socket = ns.netlink();
    const request = createLink({ name: "x", kind: { kind: "other", name: "nosuchkind" } });
    assert.throws(
      () => socket.execute(request),
      (error) => {
        assert.ok(isKernelError(error, "EOPNOTSUPP"));
        assert.equal(error.message, "RTM_NEWLINK link x: EOPNOTSUPP (Unknown device type)");
        return true;
      },
    );
    // The MTU, behind header and ifinfomsg and an eight-byte name.
    const [outcome] = socket.request([changeLink("lo", { mtu: 0xffffffff })]);
    assert.equal(outcome?.errnoName, "EINVAL");
  });
});

test("a batch of a thousand messages is answered, all refused and all taken", async () => {
  await withNetns(1, ([ns]) => {
    const socket = ns.netlink();
    const add = (i: number) =>
      addAddress({ link: 1, address: parseInterfaceAddress(`10.0.${i >> 8}.${i & 255}/32`) });
    const requests = Array.from({ length: 1000 }, (_, i) => add(i));
    assert.deepEqual(socket.request(requests).filter(Boolean), []);
    assert.ok(socket.request(requests).every((one) => one?.errnoName === "EEXIST"));
  });
});

test("more refusals than the socket holds are an error (ENOBUFS), and the socket works on", async () => {
  await withNetns(1, ([ns]) => {
    // A descriptor of our own, to give it little room.
    const fd = ns.run(() => sys.socket(sys.AF_NETLINK, sys.SOCK_RAW, NETLINK_ROUTE));
    sys.setsockopt(fd, sys.SOL_SOCKET, sys.SO_RCVBUF, 4096);
    const socket = NetlinkSocket.adopt(fd);
    try {
      const requests = Array.from({ length: 500 }, () => deleteLink("nothing"));
      assert.throws(
        () => socket.request(requests),
        (error) => isKernelError(error, "ENOBUFS"),
      );
      assert.equal(getLink(socket, "lo")?.index, 1);
      assert.deepEqual(
        listLinks(socket).map((one) => one.name),
        ["lo"],
      );
    } finally {
      socket.close();
    }
  });
});

test("slow requests are carried out in their order, and keep others from the socket meanwhile", async () => {
  await withNetns(1, async ([ns]) => {
    const socket = ns.netlink();
    const order: string[] = [];
    const slow = ["a", "b", "c"].map(async (name) => {
      const outcomes = await socket.requestSlow([bridge(name), bridge(name)]);
      order.push(name);
      return outcomes.map((one) => one?.errnoName);
    });
    for (const attempt of [
      () => socket.request([bridge("d")]),
      () => listLinks(socket),
      () => getLink(socket, "lo"),
    ]) {
      assert.throws(attempt, (error) => isWeftError(error, "INTERNAL"));
    }
    const expected = [undefined, "EEXIST"];
    assert.deepEqual(await Promise.all(slow), [expected, expected, expected]);
    assert.deepEqual(order, ["a", "b", "c"]);
    assert.deepEqual(
      listLinks(socket).map((one) => one.name),
      ["lo", "a", "b", "c"],
    );
  });
});

test("slow requests of several sockets run side by side", async () => {
  await withNetns(1, async ([ns]) => {
    const sockets = Array.from({ length: 8 }, () => ns.netlink());
    const results = await Promise.all(
      sockets.map((socket, i) => socket.requestSlow([bridge(`b${i}`), changeLink(`b${i}`, { up: true })])),
    );
    assert.deepEqual(results.flat().filter(Boolean), []);
    assert.equal(listLinks(ns.netlink()).length, 9);
  });
});

test("a slow request that cannot be sent is rejected, and the next one is not kept waiting", async () => {
  await withNetns(1, async ([ns]) => {
    const socket = ns.netlink();
    const torn: NetlinkRequest = { ...bridge("x"), body: () => assert.fail("torn") };
    const first = socket.requestSlow([torn]);
    const second = socket.requestSlow([bridge("a")]);
    await assert.rejects(first, /torn/);
    assert.deepEqual(await second, [undefined]);
  });
});

const dumpRequest: NetlinkRequest = {
  type: 18,
  flags: 0,
  call: "RTM_GETLINK",
  object: "links",
  body: (writer) => writer.zeros(16),
};
const typeOf = (message: NetlinkMessage) => message.type;

test("a dump that changed on the way (NLM_F_DUMP_INTR) is asked for again", async () => {
  await withScriptedKernel(({ socket, answer }) => {
    answer([
      { sequence: 1, type: 16, flags: 0x12 },
      { sequence: 1, type: 3 },
    ]);
    answer([
      { sequence: 1, type: 99 }, // late
      { sequence: 2, type: 17 },
      { sequence: 2, type: 3 },
    ]);
    assert.deepEqual(socket.dump(dumpRequest, typeOf), [17]);
  });
});

test("a dump that is refused on its way tells the errno of its end", async () => {
  await withScriptedKernel(({ socket, answer }) => {
    answer([
      { sequence: 1, type: 16 },
      { sequence: 1, type: 3, errno: 19 },
    ]);
    assert.throws(
      () => socket.dump(dumpRequest, typeOf),
      (error) => isKernelError(error, "ENODEV"),
    );
  });
});

test("a dump is read to its end although a message of it cannot be", async () => {
  await withNetns(1, ([ns]) => {
    const socket = ns.netlink();
    socket.request(Array.from({ length: 50 }, (_, i) => bridge(`b${i}`)));
    const failing = () => {
      throw new RangeError("unreadable");
    };
    assert.throws(() => socket.dump(dumpRequest, failing), /unreadable/);
    assert.equal(socket.dump(dumpRequest, decodeLink).length, 51);
  });
});

test("an answer that never comes is an error, and one that comes late is left aside", async () => {
  await withScriptedKernel(({ socket, answer }) => {
    assert.throws(
      () => socket.request([bridge("a")]),
      (error) => isKernelError(error, "ETIMEDOUT"),
    );
    answer([
      { sequence: 1, type: 2, errno: 17 },
      { sequence: 2, type: 2, errno: 0 },
    ]);
    assert.deepEqual(socket.request([bridge("b")]), [undefined]);
  });
});
