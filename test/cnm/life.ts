import type { World } from "./world.ts";

/** One thing that a caller does. */
export interface LifeStep {
  readonly name: string;
  readonly run: (world: World) => Promise<unknown>;
}

const net = ({ controller }: World) => controller.network("net");
const box = ({ controller }: World) => controller.sandbox("c1");

/** Everything comes into being: dual stack, with IPv6 forwarding, two networks, one join of each sort. */
export const growing: readonly LifeStep[] = [
  {
    name: "create the network",
    run: ({ controller }) =>
      controller.createNetwork("bridge", "net", {
        ipv6: true,
        ipam: { subnets: [{ subnet: "10.40.0.0/24" }, { subnet: "fd00:40::/64" }] },
      }),
  },
  { name: "create the endpoint", run: (world) => net(world).createEndpoint("e1") },
  {
    name: "create the sandbox",
    run: ({ controller }) =>
      controller.createSandbox("c1", { hostname: "one", ports: ["8080:80", "8081:81/udp"] }),
  },
  { name: "join", run: (world) => net(world).endpoint("e1").join(box(world)) },
  {
    name: "create a second network",
    run: ({ controller }) =>
      controller.createNetwork("bridge", "a-second", { ipam: { subnets: [{ subnet: "10.41.0.0/24" }] } }),
  },
  {
    name: "connect",
    run: (world) => box(world).connect(world.controller.network("a-second"), { name: "e2" }),
  },
  {
    name: "create a network that publishes elsewhere",
    run: ({ controller }) =>
      controller.createNetwork("bridge", "elsewhere", {
        ipv6: true,
        options: { "com.docker.network.bridge.host_binding_ipv4": "127.0.0.2" },
        ipam: { subnets: [{ subnet: "10.42.0.0/24" }, { subnet: "fd00:42::/64" }] },
      }),
  },
  {
    name: "connect, and move the ports",
    run: (world) => box(world).connect(world.controller.network("elsewhere"), { name: "e3", priority: 9 }),
  },
];

/** Everything goes again. */
export const fading: readonly LifeStep[] = [
  {
    name: "leave, and move the ports back",
    run: ({ controller }) => controller.network("elsewhere").endpoint("e3").leave(),
  },
  {
    name: "delete the endpoint that the ports were at",
    run: ({ controller }) => controller.network("elsewhere").endpoint("e3").delete(),
  },
  { name: "leave", run: (world) => net(world).endpoint("e1").leave() },
  { name: "delete the endpoint", run: (world) => net(world).endpoint("e1").delete() },
  { name: "delete the sandbox", run: (world) => box(world).delete() },
  { name: "delete the network", run: (world) => net(world).delete() },
  { name: "delete the second network", run: ({ controller }) => controller.network("a-second").delete() },
  { name: "delete the third network", run: ({ controller }) => controller.network("elsewhere").delete() },
];

/** Deletes whatever is there. */
export async function deleteAll({ controller }: World): Promise<void> {
  for (const sandbox of controller.sandboxes()) await sandbox.delete();
  for (const network of controller.networks()) {
    for (const endpoint of network.endpoints()) await endpoint.delete({ force: true });
    await network.delete();
  }
}
