import assert from "node:assert/strict";
import { test } from "node:test";
import { Tables } from "../../src/cnm/tables.ts";
import { isWeftError } from "../../src/core/index.ts";
import { MemoryStore } from "../../src/store/index.ts";
import { endpointRecord, idOf, networkRecord, sandboxRecord } from "./samples.ts";

const coded = (code: Parameters<typeof isWeftError>[1]) => (error: unknown) => isWeftError(error, code);

async function loaded(
  networks: readonly ReturnType<typeof networkRecord>[],
  endpoints: readonly ReturnType<typeof endpointRecord>[] = [],
  sandboxes: readonly ReturnType<typeof sandboxRecord>[] = [],
): Promise<Tables> {
  const store = new MemoryStore();
  const writer = new Tables();
  await store.transact((transaction) => {
    for (const one of networks) writer.networks.put(transaction, one);
    for (const one of endpoints) writer.endpoints.put(transaction, one);
    for (const one of sandboxes) writer.sandboxes.put(transaction, one);
  });
  const tables = new Tables();
  tables.load(store);
  return tables;
}

test("a network is found by id, by name and by the beginning of its id", async () => {
  const tables = await loaded([networkRecord("n1"), networkRecord("n2")]);
  for (const text of ["n1", idOf("n1"), idOf("n1").slice(0, 8)])
    assert.equal(tables.findNetwork(text).name, "n1");
  for (const text of ["n", "", "zz"])
    assert.throws(() => tables.findNetwork(text), coded("NETWORK_NOT_FOUND"));
});

test("a name wins over the beginning of another's id", async () => {
  const name = idOf("n1").slice(0, 4);
  const tables = await loaded([networkRecord("n1"), networkRecord(name)]);
  assert.equal(tables.findNetwork(name).name, name);
});

test("an ambiguous beginning is refused, and what is being deleted makes none", async () => {
  const similar = (name: string, digit: string, state: "ready" | "deleting") =>
    // 64 hexadecimal digits, as an id has.
    networkRecord(name, { id: `${"a".repeat(63)}${digit}` as ReturnType<typeof idOf>, state });
  const both = await loaded([similar("n1", "1", "ready"), similar("n2", "2", "ready")]);
  assert.throws(() => both.findNetwork("aaaa"), coded("AMBIGUOUS_ID"));
  const one = await loaded([similar("n1", "1", "ready"), similar("n2", "2", "deleting")]);
  assert.equal(one.findNetwork("aaaa").name, "n1");
});

test("what is being deleted is not found and its name is free", async () => {
  const tables = await loaded(
    [networkRecord("n1", { state: "deleting" }), networkRecord("n2")],
    [endpointRecord("n2", "e1", { state: "deleting" })],
    [sandboxRecord("c1", { state: "deleting" })],
  );
  for (const text of ["n1", idOf("n1")])
    assert.throws(() => tables.findNetwork(text), coded("NETWORK_NOT_FOUND"));
  assert.throws(() => tables.findSandbox("c1"), coded("SANDBOX_NOT_FOUND"));
  assert.throws(() => tables.findEndpoint(networkRecord("n2"), "e1"), coded("ENDPOINT_NOT_FOUND"));
  tables.claimNetworkName("n1", idOf("other"));
  tables.claimContainer("c1", idOf("other"));
  tables.claimEndpointName(networkRecord("n2"), "e1", idOf("other"));
});

test("a name can be claimed once until it is freed", async () => {
  const tables = await loaded([networkRecord("n1")], [endpointRecord("n1", "e1")], [sandboxRecord("c1")]);
  const network = networkRecord("n1");
  assert.throws(() => tables.claimNetworkName("n1", idOf("x")), coded("NETWORK_EXISTS"));
  assert.throws(() => tables.claimContainer("c1", idOf("x")), coded("SANDBOX_EXISTS"));
  assert.throws(() => tables.claimEndpointName(network, "e1", idOf("x")), coded("ENDPOINT_EXISTS"));
  tables.freeContainer("c1", idOf("x"));
  assert.throws(() => tables.claimContainer("c1", idOf("x")), coded("SANDBOX_EXISTS"), "it is another's");
  tables.freeNetworkName("n1");
  tables.freeContainer("c1", idOf("c1"));
  tables.freeEndpointName(network.id, "e1");
  tables.claimNetworkName("n1", idOf("x"));
  tables.claimContainer("c1", idOf("x"));
  tables.claimEndpointName(network, "e1", idOf("x"));
});

test("a sandbox's endpoints come in the order of their joins, without those that leave", async () => {
  const endpoints = [
    endpointRecord("n1", "third", { sandbox: "c1", order: 3 }),
    endpointRecord("n2", "first", { sandbox: "c1", order: 1 }),
    endpointRecord("n3", "leaver", { sandbox: "c1", order: 2, leaving: true }),
    endpointRecord("n4", "elsewhere", { sandbox: "c2" }),
  ];
  const tables = await loaded([], endpoints, []);
  const names = () => tables.endpointsIn(idOf("c1")).map(({ name }) => name);
  assert.deepEqual(names(), ["first", "third"]);
  // Writing a record anew does not move it.
  tables.setEndpoint(endpointRecord("n2", "first", { sandbox: "c1", order: 1 }));
  assert.deepEqual(names(), ["first", "third"]);
  tables.setEndpoint(endpointRecord("n2", "first"));
  assert.deepEqual(names(), ["third"]);
  tables.removeEndpoint(idOf("n1/third"));
  assert.deepEqual(names(), []);
});

test("a late write changes what is there then, and brings nothing back", async () => {
  const store = new MemoryStore();
  const { networks, endpoints } = new Tables();
  const id = idOf("n1");
  const read = () => store.get(`networks/${id}`);
  await store.transact((transaction) =>
    networks.put(transaction, networkRecord("n1", { state: "deleting" })),
  );
  await store.transact((transaction) => networks.putReady(transaction, id));
  assert.deepEqual(read(), networkRecord("n1", { state: "deleting" }));
  await store.transact((transaction) => networks.delete(transaction, id));
  await store.transact((transaction) => networks.putReady(transaction, id));
  assert.equal(read(), undefined);
  const leaving = endpointRecord("n1", "e", { sandbox: "c1", leaving: true, state: "deleting" });
  await store.transact((transaction) => endpoints.put(transaction, leaving));
  await store.transact((transaction) => endpoints.putLeft(transaction, leaving.id));
  assert.deepEqual(
    store.get(`endpoints/${leaving.id}`),
    JSON.parse(JSON.stringify({ ...leaving, join: undefined })),
  );
});
