import assert from "node:assert/strict";
import { isWeftError } from "../../src/core/index.ts";
import type { PortProxies, PortProxy } from "../../src/ports/index.ts";

/** What every kind of {@link PortProxies} must do alike; `samples` are three that it can serve. It is closed then. */
export async function checkPortProxies(proxies: PortProxies, samples: readonly PortProxy[]): Promise<void> {
  const [a, b, c] = samples;
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  const served = async () => (await proxies.stats()).ports;
  const conflict = (error: unknown) =>
    isWeftError(error, "OBJECT_CONFLICT") &&
    /the port proxy .* is served already: stop it first/.test(error.message);
  await proxies.serve([]);
  await proxies.serve([a, b]);
  assert.equal(await served(), 2);
  await assert.rejects(proxies.serve([c, a]), conflict);
  await assert.rejects(proxies.serve([c, c]), conflict);
  assert.equal(await served(), 2, "all or none");
  await proxies.stop([a.id, "none"]);
  await proxies.stop([a.id]);
  assert.equal(await served(), 1);
  const stopped = proxies.stop([b.id]);
  await proxies.serve([a, b, c]);
  await stopped;
  assert.equal(await served(), 3);
  await Promise.all([proxies.close(), proxies.close()]);
  for (const call of [() => proxies.serve([a]), () => proxies.stop([a.id]), () => proxies.stats()])
    await assert.rejects(call(), { code: "CONTROLLER_CLOSED" });
}
