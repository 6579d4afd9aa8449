// libnetwork's own first example, on weft: a network, an endpoint, a sandbox, and a join.
// Run as root, with a folder for weft's records: node dist/examples/first-sandbox.js /var/lib/weft-example
import { Controller } from "../src/index.ts";

const dir = process.argv[2] ?? "/var/lib/weft-example";

// One controller for the host; it keeps its records in `dir` and needs no daemon.
const controller = await Controller.open({ root: dir, drivers: { bridge: {} } });

// A network, by the driver's name and its own. A free subnet is chosen for it.
const network = await controller.createNetwork("bridge", "network1");

// An endpoint has its addresses from now on, and no interface yet.
const endpoint = await network.createEndpoint("Endpoint1");

// A sandbox: the network namespace and the files of a container.
const sandbox = await controller.createSandbox("container1", { hostname: "test", domainName: "example.org" });

// The sandbox gets the endpoint's interface, its addresses, the way out, and names.
await endpoint.join(sandbox);

const info = await endpoint.info();
console.log(
  `Joined endpoint ${endpoint.name} (${info.macAddress}) to sandbox ${sandbox.containerId} (${sandbox.key})`,
);

// Everything would stay without this, also after this program has ended.
await controller.purge();
