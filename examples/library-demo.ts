// The demo by the library instead of the command line, in a throw-away host: two networks, programs that find each
// other by name, the way out through NAT, a published port, and a network that stays apart. Run as root, after
// npm run build: node dist/examples/library-demo.js
import { fileURLToPath } from "node:url";
import { Controller, Launcher, type Network, type Sandbox, type SandboxProcess } from "../src/index.ts";
import { buildStage } from "./demo/stage.ts";

const program = (name: string) => fileURLToPath(new URL(`./demo/${name}.js`, import.meta.url));

/** Runs one step and prints what it did and how long it took. */
async function step<T>(what: string, work: () => T | Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  console.log(`${(performance.now() - start).toFixed(1).padStart(8)} ms  ${what}`);
  return result;
}

function show(lines: string): void {
  for (const line of lines.trim().split("\n")) console.log(`${" ".repeat(13)}${line}`);
}

/** Throws when the demo did not show what it is to show. */
function expect(condition: boolean, what: string): void {
  if (!condition) throw new Error(`the demo failed: ${what}`);
}

async function textOf(stream: AsyncIterable<Buffer | string> | undefined): Promise<string> {
  let text = "";
  for await (const chunk of stream ?? []) text += String(chunk);
  return text;
}

const stage = await step("make a throw-away host and a namespace outside of it", buildStage);
const launcher = new Launcher();
const servers: SandboxProcess[] = [];
let controller: Controller | undefined;

async function serve(
  netnsPath: string,
  files: Sandbox["files"],
  port: string,
  greeting: string,
): Promise<void> {
  const command = [process.execPath, program("web-server"), port, greeting];
  const server = await launcher.run({
    netnsPath,
    files,
    command,
    stdio: { stdout: "pipe", stderr: "inherit" },
  });
  servers.push(server);
  // Its first line says that it listens.
  for await (const _line of server.stdout ?? []) break;
}

/** A place to fetch from: a sandbox, or a namespace without files of its own. */
type Place = Pick<Sandbox, "key" | "files">;

async function fetchIn(place: Place, timeoutMs: number, ...urls: readonly string[]): Promise<string> {
  const command = [process.execPath, program("fetch"), String(timeoutMs), ...urls];
  const client = await launcher.run({
    netnsPath: place.key,
    files: place.files,
    command,
    stdio: { stdout: "pipe", stderr: "inherit" },
  });
  const [text] = await Promise.all([textOf(client.stdout), client.exited]);
  show(text);
  return text;
}

function subnets(network: Network): string {
  return network
    .info()
    .pools.map(({ pool }) => pool)
    .join(", ");
}

try {
  await step("start the launcher", () => launcher.start());
  const opened = await step("open a controller there", () =>
    // Nobody there answers for names that are not weft's.
    Controller.open({ root: stage.root, hostNetns: stage.host, resolvConf: `${stage.root}/no-resolv.conf` }),
  );
  controller = opened;

  const front = await step("create network front, IPv4 and IPv6", () =>
    opened.createNetwork("bridge", "front", { ipv6: true }),
  );
  show(subnets(front));
  const back = await step("create network back", () => opened.createNetwork("bridge", "back"));
  show(subnets(back));

  const web = await step("create sandbox web on front, its port 80 published on the host's 8000", () =>
    opened.createSandbox("web", { hostname: "web", ports: ["8000:80"], endpoints: [{ network: front }] }),
  );
  const client = await step("create sandbox client on front", () =>
    opened.createSandbox("client", { endpoints: [{ network: front }] }),
  );
  const stranger = await step("create sandbox stranger on back", () =>
    opened.createSandbox("stranger", { endpoints: [{ network: back }] }),
  );

  await step("start a web server in web", () => serve(web.key, web.files, "80", "hello from web"));
  await step("start a web server outside", () => serve(stage.outside, [], "8080", "hello from outside"));

  const byName = await step("client fetches http://web/ by name", () =>
    fetchIn(client, 2000, "http://web/", "http://web.front/"),
  );
  expect(byName.split("hello from web").length === 3, "the client does not reach web by its names");

  const outward = await step("client fetches from the outside through NAT", () =>
    fetchIn(client, 2000, "http://192.0.2.2:8080/", "http://[2001:db8::2]:8080/"),
  );
  expect(
    outward.includes("192.0.2.1") && outward.includes("2001:db8::1"),
    "the outside does not see the host's addresses",
  );

  const inward = await step("the outside and the host itself fetch from the published port", async () => {
    const outside = { key: stage.outside, files: [] };
    const host = { key: stage.host, files: [] };
    return (
      (await fetchIn(outside, 2000, "http://192.0.2.1:8000/", "http://[2001:db8::1]:8000/")) +
      (await fetchIn(host, 2000, "http://127.0.0.1:8000/", "http://[::1]:8000/"))
    );
  });
  expect(inward.split("hello from web").length === 5, "the published port does not lead to web");

  const { ipv4Address } = (await web.endpoints()[0]?.info()) ?? {};
  const webUrl = `http://${ipv4Address?.split("/")[0]}/`;
  const denied = await step(`stranger tries web by name and by address, ${webUrl}`, () =>
    fetchIn(stranger, 500, "http://web/", webUrl),
  );
  expect(!denied.includes("hello") && denied.split("failed").length === 3, "the other network reaches web");

  await step("end the programs", () =>
    Promise.all(servers.splice(0).map((server) => server.end({ graceMs: 1000 }))),
  );
  await step("delete the sandboxes", async () => {
    for (const sandbox of [web, client, stranger]) await sandbox.delete();
  });
  await step("delete the networks", async () => {
    for (const network of [front, back]) await network.delete();
  });
  await step("wait until the kernel has let go of everything", () => opened.idle());
} finally {
  await Promise.all(servers.map((server) => server.end({ graceMs: 0 })));
  await step("remove the throw-away host", async () => {
    await controller?.purge();
    await launcher.close();
    stage.strike();
  });
}
