// The simulator runs the implementation itself: how fast news spread is held against what Serf publishes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { chart } from "../../examples/gossip-simulation/chart.ts";
import { type SimulationInit, shares } from "../../examples/gossip-simulation/figures.ts";
import { publishedTime } from "../../examples/gossip-simulation/published-model.ts";
import { simulate } from "../../examples/gossip-simulation/simulation.ts";

const init = (nodes: number, loss: number): SimulationInit => ({
  nodes,
  loss,
  seed: 7,
  seconds: 40,
  delay: [1, 5],
  duplication: 0,
  profile: "lan",
  encrypt: false,
});

test("the published model is the one that gossip.md evaluates", () => {
  const times = (nodes: number, loss: number, ...some: readonly number[]) =>
    some.map((share) => publishedTime(nodes, loss, share));
  assert.deepEqual(times(10, 0, 0.5, 0.9, 0.99, 1), [400, 800, 1000, 1600]);
  assert.deepEqual(times(1000, 0, 0.5, 0.9, 0.99, 1), [1000, 1400, 1600, 2200]);
  assert.deepEqual([...times(100, 0.25, 0.99), ...times(1000, 0.5, 0.99)], [1800, 3200]);
});

for (const nodes of [100, 1000])
  for (const loss of [0, 0.25])
    test(`an update is known to ${nodes} nodes at ${loss * 100} % loss no later than Serf publishes`, () => {
      const figures = simulate(init(nodes, loss));
      for (const [i, share] of shares.entries()) {
        const measured = figures.convergence[i] ?? Number.POSITIVE_INFINITY;
        const published = publishedTime(nodes, loss, share);
        assert.ok(measured <= published, `${share * 100} % after ${measured} ms, published ${published} ms`);
      }
      assert.equal(figures.falseDeaths, 0);
      if (loss === 0) assert.equal(figures.falseSuspicions, 0);
      assert.ok((figures.detection.all ?? Number.POSITIVE_INFINITY) < 25_000);
    });

test("the same seed gives the same figures, and a chart of them", () => {
  const [first, second] = [1, 2].map(() => ({
    ...simulate({ ...init(20, 0.1), encrypt: true }),
    realSeconds: 0,
  }));
  assert.ok(first !== undefined);
  assert.deepEqual(first, second);
  assert.match(chart(first), /^<svg .*20 nodes, 10 % loss.*<\/svg>\n$/s);
});
