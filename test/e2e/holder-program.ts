// Holds a controller for test/e2e/restart.test.ts, with everything that can be in one, until it is killed.
// Its argument is JSON: the controller's options, and the file that a command of a sandbox writes to.
import { Controller, type ControllerOptions, Launcher } from "../../src/index.ts";
import { inventoryOf } from "./inventory.ts";

const { options, output } = JSON.parse(process.argv[2] ?? "") as {
  readonly options: ControllerOptions;
  readonly output: string;
}; // the test wrote it

const controller = await Controller.open(options);
const blue = await controller.createNetwork("bridge", "blue", { ipv6: true });
const red = await controller.createNetwork("bridge", "red", { ipv6: true, internal: true });
const green = await controller.createNetwork("bridge", "green", {
  options: { "com.docker.network.bridge.enable_icc": "false", "com.docker.network.driver.mtu": "1400" },
});
const web = await controller.createSandbox("web", {
  hostname: "www",
  domainName: "example.org",
  extraHosts: { printer: "192.0.2.9" },
  endpoints: [{ network: blue, aliases: ["shop"], macAddress: "02:11:22:33:44:55" }, { network: red }],
});
await controller.createSandbox("client", {
  endpoints: [{ network: blue }, { network: green, priority: 5, interfaceName: "way0" }],
});
await controller.createSandbox("alone");
await blue.createEndpoint("spare");
// What has gone must not come back.
const gone = await controller.createSandbox("gone", { endpoints: [{ network: blue }] });
await gone.delete();
await controller.idle();

const launcher = new Launcher();
await launcher.start();
const command = await launcher.run({
  netnsPath: web.key,
  files: web.files,
  command: ["sh", "-c", "while :; do cat /etc/hostname; sleep 0.02; done"],
  stdio: { stdout: { file: output } },
});
const { pid, startTicks, bootId } = command;
console.log(
  JSON.stringify({ command: { pid, startTicks, bootId }, inventory: await inventoryOf(controller) }),
);
