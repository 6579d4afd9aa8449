import assert from "node:assert/strict";
import { test } from "node:test";
import {
  hostNetns,
  identityOf,
  type KernelObject,
  linkIdentity,
  netnsIdentityOf,
} from "../../src/kernel/index.ts";
import { Belief } from "../../src/plan/belief.ts";
import { identityOfPlanned, type PlannedObject } from "../../src/plan/index.ts";
import {
  address,
  adopted,
  bridge,
  element,
  held,
  netns,
  port,
  route,
  sandbox,
  table,
  up,
  veth,
} from "./objects.ts";

const believing = (...objects: readonly PlannedObject[]) => {
  const belief = new Belief();
  for (const object of objects) belief.add(object);
  return belief;
};
const left = (belief: Belief) => [...belief.identities()];
const identities = (...objects: readonly PlannedObject[]) => objects.map(identityOfPlanned);

test("what lives in an object goes with it, however deep", () => {
  const belief = believing(netns(), table(sandbox), element("a", sandbox), bridge(), table());
  belief.remove(netnsIdentityOf(sandbox));
  assert.deepEqual(left(belief), identities(bridge(), table()));
});

test("what is on a veth's far end goes with the pair", () => {
  const far = linkIdentity(sandbox, "eth0");
  const belief = believing(
    netns(),
    bridge(),
    veth(),
    port(),
    address("eth0", "10.0.0.2/24", sandbox),
    up("eth0", sandbox),
  );
  assert.equal(belief.providerOf(far), identityOf(veth()));
  assert.equal(belief.inside(identityOf(veth())).size, 3);
  belief.remove(identityOf(veth()));
  assert.equal(belief.providerOf(far), far);
  assert.deepEqual(left(belief), identities(netns(), bridge()));
});

test("a pair goes with the namespace of either end", () => {
  const belief = believing(netns(), veth(), up("veth0"));
  belief.remove(netnsIdentityOf(sandbox));
  assert.deepEqual(left(belief), []);
});

test("a route that moved to another link no longer goes with the first", () => {
  const first = veth("veth0", "eth0");
  const second = veth("veth1", "eth1");
  const belief = believing(netns(), first, second, route("eth0", "10.0.0.1"));
  belief.add(route("eth1", "10.1.0.1"));
  belief.remove(identityOf(first));
  assert.deepEqual(left(belief), identities(netns(), second, route("eth1", "10.1.0.1")));
  belief.remove(identityOf(second));
  assert.deepEqual(left(belief), identities(netns()));
});

test("what is held stays held when what it is within goes", () => {
  const socket = held("socket", { within: [netnsIdentityOf(sandbox)] });
  const belief = believing(netns(), socket);
  belief.remove(netnsIdentityOf(sandbox));
  assert.deepEqual(left(belief), identities(socket));
  belief.replaceKernelObjects([bridge()]);
  assert.deepEqual(left(belief), identities(socket, bridge()));
  belief.remove(identityOfPlanned(socket));
  assert.deepEqual(left(belief), identities(bridge()));
});

test("letting go of an adopted link takes nothing along", () => {
  const own: KernelObject = address("eth9", "10.0.0.1/24");
  const belief = believing(adopted("eth9"), own);
  belief.remove(linkIdentity(hostNetns, "eth9"));
  assert.deepEqual(left(belief), identities(own));
});
