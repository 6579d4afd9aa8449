import assert from "node:assert/strict";
import { test } from "node:test";
import { routeRequests } from "../../../src/kernel/linux/route-requests.ts";
import { Session } from "../../../src/kernel/linux/session.ts";
import { withNetns } from "../../netns-fixture.ts";
import { port } from "../../plan/objects.ts";

test("a link that goes back to a master that is no bridge is given no settings of a bridge's port", async () => {
  await withNetns(["host"], async ({ host }) => {
    host.exec("ip", "link", "add", "w0", "type", "veth", "peer", "name", "other");
    host.exec("ip", "link", "add", "br0", "type", "bridge");
    const session = new Session({ fd: host.fd });
    try {
      const requestsFor = (op: "create" | "change", master: string) => {
        const object = { ...port("w0", master), kind: "port" } as ReturnType<typeof port> & { kind: "port" };
        return routeRequests(session, op === "create" ? { op, object } : { op, object, former: object });
      };
      assert.equal(requestsFor("create", "br0").length, 2);
      assert.equal(requestsFor("change", "br0").length, 2);
      assert.equal(requestsFor("change", "other").length, 1, "a VRF's member is put back so too");
    } finally {
      session.close();
      session.route("host").close();
    }
  });
});
