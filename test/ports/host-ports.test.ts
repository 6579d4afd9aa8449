import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type IpAddress, isWeftError } from "../../src/core/index.ts";
import {
  type EphemeralSettings,
  formatHostPort,
  type HostPort,
  HostPorts,
  isUnspecified,
  MemoryPortSockets,
  type PortBinding,
  type PortRequest,
  sharePort,
} from "../../src/ports/index.ts";
import { addresses, hostPortOf, specOf } from "./samples.ts";

const ten: EphemeralSettings = {
  range: { first: 40_000, last: 40_009 },
  reserved: [{ first: 40_002, last: 40_003 }],
};
const wildcards = addresses("0.0.0.0", "::");

function given(settings = ten) {
  const sockets = new MemoryPortSockets();
  return { sockets, ports: new HostPorts({ sockets, settings: () => settings }) };
}

function request(
  text: string,
  hostAddresses: readonly IpAddress[] = wildcards,
  preferred?: number,
): PortRequest {
  return { spec: specOf(text), hostAddresses, ...(preferred === undefined ? {} : { preferred }) };
}

const texts = (bindings: readonly PortBinding[]) =>
  bindings.map((one) => `${formatHostPort(one)}>${one.port}`);
const refused =
  (code: "PORT_IN_USE" | "PORTS_EXHAUSTED" | "HOST_ADDRESS_MISSING", words: string) => (e: unknown) =>
    isWeftError(e, code) && e.message.includes(words);

test("all addresses of a request get the same port, in the order of the requests", () => {
  const { sockets, ports } = given();
  const bindings = ports.allocate("owner", [
    request("8080:80"),
    request("53:5353/udp", addresses("192.0.2.1")),
  ]);
  assert.deepEqual(texts(bindings), ["0.0.0.0:8080/tcp>80", "[::]:8080/tcp>80", "192.0.2.1:53/udp>5353"]);
  assert.deepEqual(ports.bindings, bindings);
  assert.deepEqual(sockets.opened, ["0.0.0.0:8080/tcp", "192.0.2.1:53/udp", "[::]:8080/tcp"]);
  ports.release("owner", bindings);
  ports.release("owner", bindings);
  assert.deepEqual([sockets.opened, ports.bindings], [[], []]);
});

test("ephemeral ports go round the range, past reserved and foreign ones, each protocol by itself", () => {
  const { sockets, ports } = given();
  sockets.othersTake(hostPortOf("[::1]:40001/tcp"));
  const next = (text: string) => ports.allocate("owner", [request(text)])[0]?.hostPort;
  assert.deepEqual([next("80"), next("80"), next("80/udp"), next("81")], [40_000, 40_004, 40_000, 40_005]);
  ports.release(
    "owner",
    ports.bindings.filter(({ hostPort }) => hostPort === 40_004),
  );
  assert.deepEqual([next("82"), next("82"), next("82"), next("82")], [40_006, 40_007, 40_008, 40_009]);
  assert.equal(next("83"), 40_004, "a port that was given up is not the next one given");
  sockets.othersGiveUp(hostPortOf("[::1]:40001/tcp"));
  assert.equal(next("84"), 40_001);
  const exhausted = refused(
    "PORTS_EXHAUSTED",
    "all ports are allocated: none of 40000-40009/tcp is free on 0.0.0.0 and ::",
  );
  assert.throws(() => next("85"), exhausted);
  assert.equal(next("85/udp"), 40_001);
});

test("others may hold more ports than anybody would try", () => {
  const { sockets, ports } = given({ range: { first: 1000, last: 60_000 }, reserved: [] });
  for (let port = 1000; port < 60_000; port++) sockets.othersTake(hostPortOf(`0.0.0.0:${port}/tcp`));
  assert.deepEqual(texts(ports.allocate("owner", [request("80")])), [
    "0.0.0.0:60000/tcp>80",
    "[::]:60000/tcp>80",
  ]);
});

test("a range gives its first free port", () => {
  const { sockets, ports } = given();
  sockets.othersTake(hostPortOf("[::]:8000/tcp"));
  const next = () => ports.allocate("owner", [request("8000-8002:80")])[0]?.hostPort;
  assert.deepEqual([next(), next()], [8001, 8002]);
  assert.throws(next, refused("PORTS_EXHAUSTED", "none of 8000-8002/tcp is free"));
  ports.release(
    "owner",
    ports.bindings.filter(({ hostPort }) => hostPort === 8001),
  );
  assert.equal(next(), 8001);
});

test("the port it had before comes first where there is a choice", () => {
  const { sockets, ports } = given();
  const take = (text: string, preferred: number) =>
    ports.allocate("owner", [request(text, wildcards, preferred)])[0]?.hostPort;
  assert.equal(take("80", 40_008), 40_008);
  assert.equal(take("80", 40_008), 40_000, "unless it is taken");
  assert.equal(take("8000-8010:80", 8005), 8005);
  assert.equal(take("8000-8010:80", 9000), 8000, "or outside of the range");
  assert.equal(take("7000:80", 8009), 7000, "or not wanted");
  sockets.othersTake(hostPortOf("0.0.0.0:8006/tcp"));
  assert.equal(take("8000-8010:80", 8006), 8001);
});

test("who has the port is told in Docker's words", () => {
  const { sockets, ports } = given();
  ports.allocate("owner", [request("80:80")]);
  sockets.othersTake(hostPortOf("[2001:db8::1]:443/tcp"));
  sockets.loseAddress(addresses("192.0.2.9")[0] ?? ("" as IpAddress));
  const refusals: readonly (readonly [PortRequest, ReturnType<typeof refused>])[] = [
    [request("80:81"), refused("PORT_IN_USE", "Bind for 0.0.0.0:80 failed: port is already allocated")],
    [
      request("80:80", addresses("2001:db8::5")),
      refused("PORT_IN_USE", "Bind for [2001:db8::5]:80 failed: port is already allocated"),
    ],
    [
      request("443:443"),
      refused("PORT_IN_USE", "failed to bind host port [::]:443/tcp: address already in use"),
    ],
    [
      request("443:443", addresses("192.0.2.9")),
      refused(
        "HOST_ADDRESS_MISSING",
        "failed to bind host port 192.0.2.9:443/tcp: cannot assign requested address",
      ),
    ],
    [request("80", addresses("192.0.2.9")), refused("HOST_ADDRESS_MISSING", "192.0.2.9:40000/tcp")],
    [request("1-9:80", addresses("192.0.2.9"), 4), refused("HOST_ADDRESS_MISSING", "192.0.2.9:4/tcp")],
  ];
  for (const [one, is] of refusals) assert.throws(() => ports.allocate("owner", [one]), is);
  assert.deepEqual(sockets.opened, ["0.0.0.0:80/tcp", "[::]:80/tcp"]);
});

test("a refusal leaves nothing of what was asked for with it", () => {
  const { sockets, ports } = given();
  sockets.othersTake(hostPortOf("0.0.0.0:3/tcp"));
  assert.throws(() => ports.allocate("owner", [request("1:1"), request("2"), request("3:3")]));
  assert.throws(
    () => ports.allocate("owner", [request("4:4"), request("4:5")]),
    refused("PORT_IN_USE", "already allocated"),
  );
  assert.deepEqual([sockets.opened, ports.bindings], [[], []]);
});

test("after a restart what is still free is reserved and the rest told", () => {
  const { sockets, ports } = given();
  const before = ports.allocate("owner", [
    request("80:80"),
    request("81:81"),
    request("82:82", addresses("192.0.2.9")),
  ]);
  sockets.endProcess();
  sockets.othersTake(hostPortOf("0.0.0.0:81/tcp"));
  for (const address of addresses("192.0.2.9")) sockets.loseAddress(address);
  const again = new HostPorts({ sockets, settings: () => ten });
  const expected = [
    ["0.0.0.0:81/tcp", "failed to bind host port 0.0.0.0:81/tcp: address already in use"],
    ["192.0.2.9:82/tcp", /cannot assign requested address/],
  ] as const;
  const taken = again.reserve("owner", before);
  for (const [i, [name, words]] of expected.entries()) {
    const one = taken[i];
    assert.ok(one !== undefined);
    assert.equal(formatHostPort(one.binding), name);
    assert.match(one.reason.message, typeof words === "string" ? new RegExp(`^${words}$`) : words);
  }
  assert.equal(taken.length, expected.length);
  assert.deepEqual(sockets.opened, ["0.0.0.0:80/tcp", "[::]:80/tcp", "[::]:81/tcp"]);
  const opened = again.bindings.map((binding) => again.keeperOf("owner", binding).fd);
  assert.equal(again.reserve("owner", before).length, 2, "the same are refused");
  assert.deepEqual(
    again.bindings.map((binding) => again.keeperOf("owner", binding).fd),
    opened,
    "and what is held stays",
  );
  const other = before.slice(0, 1).map((binding) => ({ ...binding, port: 8888 }));
  assert.deepEqual(
    again.reserve("owner", other).map(({ reason }) => reason.message),
    ["Bind for 0.0.0.0:80 failed: port is already allocated"],
  );
  assert.deepEqual(
    again.reserve("other", before.slice(0, 1)).map(({ reason }) => reason.message),
    ["Bind for 0.0.0.0:80 failed: port is already allocated"],
  );
  again.close();
  assert.deepEqual(sockets.opened, []);
});

test("what an owner has is not another's to give up, ask about or reserve", () => {
  const { sockets, ports } = given();
  const bindings = ports.allocate("one", [request("80:80")]);
  const [first] = bindings;
  assert.ok(first !== undefined);
  assert.deepEqual([ports.has("one", first), ports.has("other", first)], [true, false]);
  assert.throws(() => ports.keeperOf("other", first), /not reserved/);
  ports.release("other", bindings);
  ports.giveBack("other", bindings);
  assert.deepEqual(ports.bindings, bindings);
  assert.equal(ports.reserve("one", bindings).length, 0);
  assert.equal(ports.reserve("other", bindings).length, 2);
  ports.close();
  assert.deepEqual(sockets.opened, []);
});

test("what others were promised is passed over, or refused as theirs", () => {
  const { ports } = given();
  const promised = hostPortOf("192.0.2.1:40000/tcp");
  const isPromised = (one: HostPort) => sharePort(one, promised);
  assert.throws(
    () => ports.allocate("owner", [request("40000:80")], isPromised),
    refused("PORT_IN_USE", "Bind for 0.0.0.0:40000 failed: port is already allocated"),
  );
  const [free] = ports.allocate("owner", [request("80")], isPromised);
  assert.equal(free?.hostPort, 40_001);
  const other = ports.allocate("owner", [request("40000:80", addresses("192.0.2.2"))], isPromised);
  assert.deepEqual(texts(other), ["192.0.2.2:40000/tcp>80"]);
  ports.close();
});

test("a port of both families has one socket, and one of its own for the family that stays", () => {
  const { ports, sockets } = given();
  const [four, six] = ports.allocate("owner", [request("80:80")]);
  assert.ok(four !== undefined && six !== undefined);
  assert.equal(ports.keeperOf("owner", four), ports.keeperOf("owner", six));
  assert.equal(ports.keeperOf("owner", six).name, "0.0.0.0:80/tcp");
  const shared = ports.keeperOf("owner", six).fd;
  ports.release("owner", [four]);
  assert.deepEqual(sockets.opened, ["[::]:80/tcp"]);
  assert.equal(ports.keeperOf("owner", six).name, "[::]:80/tcp");
  assert.notEqual(ports.keeperOf("owner", six).fd, shared);
  assert.throws(
    () => ports.keeperOf("owner", four),
    (error) => isWeftError(error, "INTERNAL"),
  );
  const again = ports.allocate("owner", [{ ...request("80:80"), hostAddresses: addresses("192.0.2.1") }]);
  ports.giveBack("owner", [six]);
  assert.deepEqual(ports.bindings, again);
  ports.close();
  assert.deepEqual(sockets.opened, []);
});

test("ports of both families are refused by the name of the one that is taken", () => {
  for (const taken of ["0.0.0.0:80/tcp", "[2001:db8::1]:80/tcp"]) {
    const { ports, sockets } = given();
    sockets.othersTake(hostPortOf(taken));
    const name = taken.startsWith("0") ? "0.0.0.0:80/tcp" : "[::]:80/tcp";
    assert.throws(() => ports.allocate("owner", [request("80:80")]), {
      code: "PORT_IN_USE",
      message: `failed to bind host port ${name}: address already in use`,
    });
    assert.deepEqual(sockets.opened, []);
  }
});

test("whoever takes many together says so once, and not from where they are taken", () => {
  const sockets = new MemoryPortSockets();
  const said: string[] = [];
  let place = "home";
  const ports = new HostPorts({
    sockets: {
      open: (hostPort) => sockets.open(hostPort),
      openBoth: (port) => sockets.openBoth(port),
      close: (fd) => sockets.close(fd),
      batch: (_count, work) => {
        place = "host";
        const result = work();
        place = "home";
        return result;
      },
    },
    settings: () => ten,
    onTake: () => said.push(place),
  });
  const binding = (port: number) => ({ ...hostPortOf(`0.0.0.0:${port}/tcp`), port });
  ports.together(2, () => {
    ports.reserve("one", [binding(1)]);
    ports.reserve("two", [binding(2)]);
  });
  assert.deepEqual(said, ["home"]);
  ports.reserve("two", [binding(3)]);
  assert.deepEqual(said, ["home", "home"]);
  assert.equal(ports.size, 3);
});

test("a socket that cannot be had again for the family that stays is told", () => {
  const { ports, sockets } = given();
  const [four, six] = ports.allocate("owner", [request("80:80")]);
  assert.ok(four !== undefined && six !== undefined);
  const close = sockets.close.bind(sockets);
  sockets.close = (fd) => {
    close(fd);
    sockets.othersTake(hostPortOf("[::1]:80/tcp"));
  };
  assert.throws(() => ports.release("owner", [four]), { message: /\[::\]:80\/tcp: address already in use/ });
  assert.deepEqual([ports.bindings, sockets.opened], [[], []]);
});

test("what goes wrong with one port leaves none behind", () => {
  const sockets = new MemoryPortSockets();
  const ports = new HostPorts({
    sockets: {
      batch: (_count, work) => work(),
      close: (fd) => sockets.close(fd),
      open: (hostPort) => {
        if (hostPort.hostPort === 3) throw new Error("out of descriptors");
        return sockets.open(hostPort);
      },
      openBoth: (port) => {
        if (port.hostPort === 3) throw new Error("out of descriptors");
        return sockets.openBoth(port);
      },
    },
    settings: () => ten,
  });
  const three = ["1:1", "2:2", "3:3"].map((text) => request(text));
  const onOne = three.map((one) => ({ ...one, hostAddresses: addresses("127.0.0.1") }));
  for (const requests of [three, onOne]) assert.throws(() => ports.allocate("owner", requests), /out of/);
  const wanted = ["1", "2", "3"].map((port) => ({ ...hostPortOf(`0.0.0.0:${port}/udp`), port: 1 }));
  assert.throws(() => ports.reserve("owner", wanted), /out of/);
  assert.deepEqual([sockets.opened, ports.bindings], [[], []]);
});

test("no two that are reserved conflict, and whatever does not conflict can be", () => {
  const hosts = addresses("0.0.0.0", "127.0.0.1", "192.0.2.1", "::", "::1", "2001:db8::1");
  const operation = fc.record({
    host: fc.constantFrom(...hosts),
    protocol: fc.constantFrom("tcp", "udp", "sctp"),
    port: fc.integer({ min: 1, max: 3 }),
    release: fc.boolean(),
  });
  const conflict = (a: PortBinding, host: IpAddress, protocol: string, port: number) =>
    a.protocol === protocol &&
    a.hostPort === port &&
    a.hostAddress.includes(":") === host.includes(":") &&
    (a.hostAddress === host || isUnspecified(a.hostAddress) || isUnspecified(host));
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 40 }), (operations) => {
      const { sockets, ports } = given();
      let model: readonly PortBinding[] = [];
      for (const { host, protocol, port, release } of operations) {
        if (release) {
          const gone = model.filter((one) => one.hostAddress === host && one.hostPort === port);
          ports.release("owner", gone);
          model = model.filter((one) => !gone.includes(one));
          continue;
        }
        const possible = !model.some((one) => conflict(one, host, protocol, port));
        const take = () => ports.allocate("owner", [request(`${port}:7/${protocol}`, [host])]);
        if (possible) model = [...model, ...take()];
        else assert.throws(take, refused("PORT_IN_USE", "port is already allocated"));
      }
      assert.deepEqual(sockets.opened, model.map(formatHostPort).sort());
    }),
  );
});
