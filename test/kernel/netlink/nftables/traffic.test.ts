import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addElements,
  commit,
  createTable,
  deleteElements,
  type SetElement,
} from "../../../../src/kernel/netlink/nftables/index.ts";
import { NETLINK_NETFILTER } from "../../../../src/kernel/netlink/socket.ts";
import { withNetns } from "../../../netns-fixture.ts";
import { fabric } from "./rule-sets.ts";

/** Listens on one address and port, connects to another, and prints what came of it. */
const connectToItself = `
  const [address, port, listenPort] = process.argv.slice(1);
  const server = require("node:net").createServer((s) => s.end("through the map")).listen(listenPort, address, () => {
    const client = require("node:net").connect(port, address);
    client.on("data", (data) => console.log(String(data)));
    client.on("error", (error) => console.log(error.code));
    client.on("close", () => server.close());
  });
`;

interface Published {
  readonly map: "ports4" | "any4" | "ports6" | "any6";
  readonly address: "127.0.0.1" | "::1";
  readonly element: SetElement;
}

const published: readonly Published[] = [
  {
    map: "ports4",
    address: "127.0.0.1",
    element: { key: ["127.0.0.1", "tcp", 80], data: ["127.0.0.1", 8080] },
  },
  { map: "any4", address: "127.0.0.1", element: { key: ["tcp", 80], data: ["127.0.0.1", 8080] } },
  { map: "ports6", address: "::1", element: { key: ["::1", "tcp", 80], data: ["::1", 8080] } },
  { map: "any6", address: "::1", element: { key: ["tcp", 80], data: ["::1", 8080] } },
];

for (const { map, address, element } of published) {
  test(`a connection goes where the map ${map} says, for as long as it says so`, () =>
    withNetns(1, ([host]) => {
      host.exec("ip", "link", "set", "lo", "up");
      const socket = host.netlink(NETLINK_NETFILTER);
      const type = fabric.sets[map];
      assert.ok(type);
      const connect = () => host.exec(process.execPath, "-e", connectToItself, address, "80", "8080").trim();
      commit(socket, createTable(fabric));
      assert.equal(connect(), "ECONNREFUSED");
      commit(socket, addElements({ ...fabric, set: map }, type, [element]));
      assert.equal(connect(), "through the map");
      commit(socket, deleteElements({ ...fabric, set: map }, type, [element]));
      assert.equal(connect(), "ECONNREFUSED");
    }));
}
