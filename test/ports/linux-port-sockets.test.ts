import assert from "node:assert/strict";
import { once } from "node:events";
import { readlinkSync } from "node:fs";
import { test } from "node:test";
import { isKernelError } from "../../src/kernel/index.ts";
import * as sys from "../../src/kernel/syscalls.ts";
import { formatHostPort, HostPorts, LinuxPortSockets, type PortBinding } from "../../src/ports/index.ts";
import { type TestNetns, withNetns } from "../netns-fixture.ts";
import { bindIn, closed, connectTcp, serveTcp } from "./netns-sockets.ts";
import { checkPortSockets } from "./port-sockets-compliance.ts";
import { addresses, hostPortOf, specOf } from "./samples.ts";

const settings = () => ({ range: { first: 40_000, last: 40_999 }, reserved: [] });

/** Runs `work` in a namespace with 192.0.2.1 and 2001:db8::1, beside ports of it. */
async function withHost(work: (ports: HostPorts, host: TestNetns) => void | Promise<void>): Promise<void> {
  await withNetns(1, async ([host]) => {
    host.exec("ip", "link", "set", "lo", "up");
    host.exec("ip", "address", "add", "192.0.2.1/32", "dev", "lo");
    host.exec("ip", "address", "add", "2001:db8::1/128", "dev", "lo", "nodad");
    const ports = new HostPorts({ sockets: new LinuxPortSockets(host.path), settings });
    try {
      await work(ports, host);
    } finally {
      ports.close();
    }
  });
}

/** Another program's attempt to have a port, as kind as can be: SO_REUSEADDR for tcp. Closed if it succeeds. */
function canBind(host: TestNetns, text: string): boolean {
  const { protocol, hostAddress, hostPort } = hostPortOf(text);
  try {
    sys.close(bindIn(host, hostAddress, hostPort, protocol === "tcp" ? sys.SOCK_STREAM : sys.SOCK_DGRAM));
    return true;
  } catch (error) {
    if (isKernelError(error, "EADDRINUSE")) return false;
    throw error;
  }
}

for (const usually of ["0", "1"])
  test(`a reserved port is nobody else's, in its family and where its address reaches, bindv6only=${usually}`, () =>
    withHost((ports, host) => {
      host.exec("sysctl", "-qw", `net.ipv6.bindv6only=${usually}`);
      const cases: readonly (readonly [string, Readonly<Record<string, boolean>>])[] = [
        ["0.0.0.0 ::", { "0.0.0.0": false, "127.0.0.1": false, "[::]": false, "[::1]": false }],
        [
          "0.0.0.0",
          { "0.0.0.0": false, "127.0.0.1": false, "192.0.2.1": false, "[::]": true, "[::1]": true },
        ],
        ["127.0.0.1", { "0.0.0.0": false, "127.0.0.1": false, "192.0.2.1": true, "[::]": true }],
        ["::", { "[::]": false, "[::1]": false, "[2001:db8::1]": false, "0.0.0.0": true, "127.0.0.1": true }],
        ["2001:db8::1", { "[::]": false, "[2001:db8::1]": false, "[::1]": true, "0.0.0.0": true }],
      ];
      for (const protocol of ["tcp", "udp"]) {
        for (const [hostAddress, others] of cases) {
          const spec = specOf(`80:80/${protocol}`);
          const bindings = ports.allocate("owner", [
            { spec, hostAddresses: addresses(...hostAddress.split(" ")) },
          ]);
          for (const [other, expected] of Object.entries(others)) {
            const text = `${other}:80/${protocol}`;
            assert.equal(canBind(host, text), expected, `${text} beside ${hostAddress}`);
          }
          ports.release("owner", bindings);
          for (const other of Object.keys(others))
            assert.equal(canBind(host, `${other}:80/${protocol}`), true);
        }
      }
    }));

test("ports of the kernel conflict as those in memory do", async () => {
  await withHost((_ports, host) => checkPortSockets(new LinuxPortSockets(host.path)));
});

test("what another program has is passed over, or refused with its words", async () => {
  await withHost((ports, host) => {
    const theirs = [sys.SOCK_STREAM, sys.SOCK_DGRAM].map((type) => bindIn(host, "::1", 40_000, type));
    sys.listen(theirs[0] ?? -1, 1);
    const both = addresses("0.0.0.0", "::");
    for (const protocol of ["tcp", "udp"]) {
      const take = (text: string) =>
        ports.allocate("owner", [{ spec: specOf(text), hostAddresses: both }])[0]?.hostPort;
      assert.equal(take(`80/${protocol}`), 40_001);
      assert.throws(() => take(`40000:80/${protocol}`), {
        code: "PORT_IN_USE",
        message: `failed to bind host port [::]:40000/${protocol}: address already in use`,
      });
      assert.equal(canBind(host, `0.0.0.0:40000/${protocol}`), true, "the IPv4 half was given back");
    }
    for (const fd of theirs) sys.close(fd);
  });
});

test("an address that the host has not got is told", async () => {
  await withHost((ports) => {
    for (const address of ["192.0.2.77", "2001:db8::77"])
      for (const protocol of ["tcp", "udp"])
        assert.throws(
          () =>
            ports.allocate("owner", [{ spec: specOf(`80/${protocol}`), hostAddresses: addresses(address) }]),
          { code: "HOST_ADDRESS_MISSING" },
        );
  });
});

test("a port whose last connections are in TIME_WAIT is reserved again at once", async () => {
  await withHost(async (ports, host) => {
    const server = await serveTcp(host, ["127.0.0.1", 80], (socket) => socket.end());
    const client = connectTcp(host, "127.0.0.1", 80);
    client.resume();
    await once(client, "end"); // the server ends first, which leaves its side in TIME_WAIT
    client.end();
    await once(client, "close");
    await closed(server);
    assert.match(host.exec("ss", "-Htan", "state", "time-wait"), /127\.0\.0\.1:80/);
    const bindings = ports.allocate("owner", [
      { spec: specOf("80:80"), hostAddresses: addresses("0.0.0.0") },
    ]);
    assert.equal(bindings.length, 1);
  });
});

test("a reserved tcp port takes connections before anybody serves it", async () => {
  await withHost(async (ports, host) => {
    const bindings = ports.allocate("owner", [
      { spec: specOf("80:80"), hostAddresses: addresses("0.0.0.0", "::") },
    ]);
    for (const [i, address] of ["127.0.0.1", "::1"].entries()) {
      const client = connectTcp(host, address, 80);
      const binding = bindings[i];
      assert.ok(binding !== undefined);
      const accepted = sys.acceptNow(ports.keeperOf("owner", binding).fd ?? -1);
      assert.ok(accepted !== undefined);
      sys.close(accepted);
      client.destroy();
      await once(client, "close");
    }
  });
});

test("sctp ports are weft's own where the kernel has no SCTP, and sockets where it has", async () => {
  await withHost((ports) => {
    const request = { spec: specOf("80:80/sctp"), hostAddresses: addresses("0.0.0.0", "::1") };
    const bindings = ports.allocate("owner", [request]);
    assert.equal(bindings.length, 2);
    for (const binding of bindings) {
      const fd = ports.keeperOf("owner", binding).fd;
      if (fd !== undefined) assert.equal(sys.getsockname(fd).readUInt16BE(2), 80);
    }
    assert.throws(() => ports.allocate("owner", [request]), { code: "PORT_IN_USE" });
  });
});

test("after a restart ports are taken again but for those that others took meanwhile", async () => {
  await withHost(async (ports, host) => {
    const requests = ["80:80", "81:81", "82:82/udp"].map((text) => ({
      spec: specOf(text),
      hostAddresses: addresses("0.0.0.0", "::"),
    }));
    const before: readonly PortBinding[] = ports.allocate("owner", requests);
    ports.close();
    const server = await serveTcp(host, ["192.0.2.1", 81], (socket) => socket.destroy());
    const taken = ports.reserve("owner", before);
    assert.deepEqual(
      taken.map(({ binding, reason }) => [formatHostPort(binding), reason.code]),
      [["0.0.0.0:81/tcp", "PORT_IN_USE"]],
    );
    assert.equal(ports.bindings.length, 5);
    await closed(server);
    assert.deepEqual(ports.reserve("owner", before), []);
  });
});

test("a thousand ports are reserved and given up", async () => {
  await withHost((ports, host) => {
    const requests = Array.from({ length: 500 }, () => ({
      spec: specOf("80"),
      hostAddresses: addresses("0.0.0.0", "::"),
    }));
    const bindings = ports.allocate("owner", requests);
    assert.equal(new Set(bindings.map(({ hostPort }) => hostPort)).size, 500);
    const listening = host.exec("ss", "-Htln").trim().split("\n");
    assert.equal(listening.length, 500);
    assert.ok(listening.every((line) => line.includes(" *:"))); // of both families
    ports.close();
    assert.equal(host.exec("ss", "-Htln"), "");
  });
});

test("a namespace that is not there is refused", async () => {
  const ports = new HostPorts({ sockets: new LinuxPortSockets("/proc/self/ns/none"), settings });
  assert.throws(
    () => ports.allocate("owner", [{ spec: specOf("80"), hostAddresses: addresses("0.0.0.0") }]),
    (error) => isKernelError(error, "ENOENT"),
  );
});

test("reservations of many owners share one way to the host, and end in the thread's own namespace", () =>
  withHost((ports, host) => {
    const own = readlinkSync("/proc/thread-self/ns/net");
    const binding = (hostPort: number): PortBinding => ({
      ...hostPortOf(`0.0.0.0:${hostPort}/tcp`),
      port: 80,
    });
    const there = ports.together(2, () => {
      ports.reserve("one", [binding(8080)]);
      const between = readlinkSync("/proc/thread-self/ns/net");
      ports.reserve("two", [binding(8081)]);
      return between;
    });
    assert.equal(
      there,
      host.run(() => readlinkSync("/proc/thread-self/ns/net")),
    );
    assert.equal(readlinkSync("/proc/thread-self/ns/net"), own);
    assert.deepEqual([canBind(host, "0.0.0.0:8080/tcp"), canBind(host, "0.0.0.0:8081/tcp")], [false, false]);
    assert.throws(() => ports.together(1, () => assert.fail("it fails")), /it fails/);
    assert.equal(readlinkSync("/proc/thread-self/ns/net"), own);
    assert.deepEqual(ports.reserve("two", [binding(8082)]), [], "and again by a way of its own");
    assert.equal(canBind(host, "0.0.0.0:8082/tcp"), false);
  }));
