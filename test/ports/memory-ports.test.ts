import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress } from "../../src/core/index.ts";
import { MemoryPortProxies, MemoryPortSockets, type PortProxiesEvent } from "../../src/ports/index.ts";
import { checkPortProxies } from "./port-proxies-compliance.ts";
import { checkPortSockets, missingAddress } from "./port-sockets-compliance.ts";
import { hostPortOf } from "./samples.ts";

test("ports in memory conflict as the kernel's do", () => {
  const sockets = new MemoryPortSockets();
  sockets.loseAddress(parseAddress(missingAddress));
  checkPortSockets(sockets);
  assert.deepEqual(sockets.opened, []);
});

test("other programs take ports and give them up, addresses go and come", () => {
  const sockets = new MemoryPortSockets();
  const port = hostPortOf("192.0.2.1:80/tcp");
  sockets.othersTake(hostPortOf("0.0.0.0:80/tcp"));
  assert.deepEqual(sockets.open(port), { kind: "taken" });
  sockets.othersGiveUp(hostPortOf("0.0.0.0:80/tcp"));
  sockets.loseAddress(port.hostAddress);
  assert.deepEqual(sockets.open(port), { kind: "no-address" });
  sockets.gainAddress(port.hostAddress);
  assert.equal(sockets.open(port).kind, "open");
  assert.throws(() => sockets.othersTake(port), RangeError);
  sockets.endProcess();
  sockets.othersTake(port);
  assert.deepEqual(sockets.opened, []);
  assert.throws(() => sockets.close(1 << 24), RangeError);
});

test("proxies in memory keep the contract", async () => {
  const target = parseAddress("10.0.0.2");
  const samples = ["a", "b", "c"].map(
    (id, fd) => ({ id, protocol: "tcp", fd, target, targetPort: 80 }) as const,
  );
  await checkPortProxies(new MemoryPortProxies(), samples);
});

test("proxies in memory crash when a test wants it", async () => {
  const proxies = new MemoryPortProxies();
  const events: PortProxiesEvent["kind"][] = [];
  proxies.events.subscribe(({ kind }) => events.push(kind));
  proxies.crash();
  assert.deepEqual(events, ["crashed"]);
  await assert.rejects(proxies.stats(), { code: "INTERNAL" });
  await proxies.close();
});
