import type { Controller } from "../../src/index.ts";

/** Everything that a controller can tell of its networks, endpoints and sandboxes, as JSON. */
export async function inventoryOf(controller: Controller): Promise<unknown> {
  const endpoints = controller.networks().flatMap((network) => network.endpoints());
  const all = {
    networks: controller.networks().map((network) => network.info()),
    endpoints: await Promise.all(endpoints.map((endpoint) => endpoint.info())),
    sandboxes: controller.sandboxes().map((sandbox) => ({
      ...sandbox.info(),
      key: sandbox.key,
      files: sandbox.files,
      endpoints: sandbox
        .endpoints()
        .map(({ id }) => id)
        .toSorted(),
    })),
  };
  const byId = (a: { readonly id: string }, b: { readonly id: string }) => (a.id < b.id ? -1 : 1);
  all.endpoints.sort(byId);
  all.sandboxes.sort(byId);
  return JSON.parse(JSON.stringify(all)) as unknown; // what is undefined is as good as absent
}
