// weft's main job in one go, by its command line, in a throw-away host: two networks, programs that find each other
// by name, the way out through NAT, a published port, a network that stays apart, and a daemon that is killed while
// all of it goes on. Run as root: npm run demo
import { join } from "node:path";
import { Shell } from "./demo/shell.ts";
import { buildStage, type Stage } from "./demo/stage.ts";

const node = process.execPath;

/** Throws when the demo did not show what it is to show. */
function expect(condition: boolean, what: string): void {
  if (!condition) throw new Error(`the demo failed: ${what}`);
}

function say(text: string): void {
  console.log(`\n${text}`);
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

async function play(folders: readonly string[], stage: Stage, host: Shell, outside: Shell): Promise<void> {
  const up = ["up", "--netns", stage.host, ...folders];
  await host.weft(up);

  say("Two networks. A web server on the one, its port 80 published on the host's 8000:");
  await host.weft(["network", "create", "--ipv6", "front"]);
  await host.weft(["network", "create", "back"]);
  await host.weft(["network", "ls"]);
  const server = [node, "web-server.js", "80", "hello from web"];
  await host.weft(["run", "-d", "--name", "web", "--network", "front", "-p", "8000:80", ...server]);

  say("A client finds it by name:");
  const front = ["run", "--network", "front", node, "fetch.js", "10000"];
  const byName = await host.weft([...front, "http://web/", "http://web.front/"]);
  expect(count(byName, "hello from web") === 2, "the client does not reach web by its names");

  say("It reaches the world through NAT: a server outside sees the host's addresses, of both families:");
  const outward = await host.weft([...front, "http://192.0.2.2:8080/", "http://[2001:db8::2]:8080/"]);
  expect(
    outward.includes("192.0.2.1") && outward.includes("2001:db8::1"),
    "the outside does not see the host's addresses",
  );

  say("The world reaches the published port, and so does the host itself, by its loopback addresses too:");
  const published = ["http://192.0.2.1:8000/", "http://[2001:db8::1]:8000/"];
  const inward = await outside.run([node, "fetch.js", "10000", ...published]);
  const own = await host.run([node, "fetch.js", "10000", "http://127.0.0.1:8000/", "http://[::1]:8000/"]);
  expect(count(inward + own, "hello from web") === 4, "the published port does not lead to web");

  say("Who is on another network reaches the server neither by name nor by address:");
  const address = await host.weft(["sandbox", "inspect", "-f", "{{.Networks.front.IPAddress}}", "web"]);
  const urls = ["http://web/", `http://${address.trim()}/`];
  const back = ["run", "--network", "back", node, "fetch.js", "500", ...urls];
  const denied = await host.weft(back, { status: 1 });
  expect(!denied.includes("hello") && count(denied, "failed") === 2, "the other network reaches web");

  say("What runs, what it wrote, and whether the host is what it should be (no line: it is):");
  await host.weft(["ps"]);
  await host.weft(["logs", "web"]);
  await host.weft(["drift"]);

  say(
    "The daemon is killed. The server does not notice, nor do its clients; the next daemon finds it again:",
  );
  const pid = await host.weft(["info", "--format", "{{.Pid}}"]);
  await host.run([node, "-p", `process.kill(${pid.trim()}, "SIGKILL")`]);
  const still = await outside.run([node, "fetch.js", "10000", ...published]);
  expect(count(still, "hello from web") === 2, "the published port died with the daemon");
  await host.weft(up);
  const found = await host.weft(["ps"]);
  expect(found.includes("8000->80/tcp"), "the next daemon does not find what ran");

  say("All is taken away again:");
  await host.weft(["down", "--purge"]);
}

const start = performance.now();
const stage = buildStage();
const run = join(stage.folder, "run");
const folders = ["--root", stage.root, "--run", run];
const host = new Shell(stage.host, "host ", { WEFT_SOCKET: join(run, "weft.sock") });
const outside = new Shell(stage.outside, "world ");
const server = outside.start([node, "web-server.js", "8080", "hello from outside"]);
let over = false;
try {
  await play(folders, stage, host, outside);
  over = true;
} finally {
  // A demo that failed shows why, and leaves nothing either.
  if (!over) await host.weft(["down", "--purge", "--netns", stage.host, ...folders]).catch(() => {});
  await server.end();
  stage.strike();
}
say(`Nothing is left. All of it took ${((performance.now() - start) / 1000).toFixed(1)} s.`);
