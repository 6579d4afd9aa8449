import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { until } from "../until.ts";
import { hostAddresses, joinToHost } from "../uplink.ts";
import { type TestDaemon, withDaemon } from "./test-daemon.ts";

/** What a web server of these tests gives away: the host's /etc/debian_version. */
const page = "debian_version";
const server = ["busybox", "httpd", "-f", "-p", "80", "-h", "/etc"];
const fetch = (host: string) => ["busybox", "wget", "-q", "-O", "-", `http://${host}/${page}`];

/** What one who looks at a sandbox's server sees, once it listens. */
async function fetched(daemon: TestDaemon, box: string, host: string): Promise<string> {
  let found = await daemon.weft("exec", box, ...fetch(host));
  await until(`${host} answers ${box}`, async () => {
    if (found.status === 0) return true;
    found = await daemon.weft("exec", box, ...fetch(host));
    return found.status === 0;
  });
  return found.stdout;
}

suite("what people do first", () => {
  test("a bridge network of a name, a command in it, two programs by name, a published port", () =>
    withDaemon(
      async (daemon) => {
        const name = "com.docker.network.bridge.name=brnet";
        const id = await daemon.ok("network", "create", "-d", "bridge", "-o", name, "brnet");
        assert.match(id, /^[0-9a-f]{64}$/);
        assert.match(await daemon.ok("network", "ls"), /brnet +bridge +local/);
        assert.match(daemon.netns.exec("ip", "-br", "link", "show", "brnet"), /^brnet/);

        const printed = await daemon.ok("run", "--net=brnet", "busybox", "ifconfig");
        assert.match(printed, /eth0 .*\n +inet addr:172\.18\.0\.2 /);

        await daemon.ok("run", "-d", "--name", "web", "--network", "brnet", "-p", "8080:80", ...server);
        await daemon.ok("run", "-d", "--name", "asker", "--network", "brnet", "busybox", "sleep", "1000");
        const text = await fetched(daemon, "asker", "web");
        assert.notEqual(text, "");
        const address = `${hostAddresses.ipv4}:8080`;
        assert.equal(daemon.outside.exec(...(fetch(address) as [string, ...string[]])), text);
        assert.equal(daemon.netns.exec(...(fetch("127.0.0.1:8080") as [string, ...string[]])), text);

        const ps = await daemon.ok("ps");
        assert.match(ps, /busybox httpd.* Up .* 0\.0\.0\.0:8080->80\/tcp.* web/);
        assert.deepEqual(
          (await daemon.ok("ps", "-q")).split("\n").length,
          2,
          "the command that has ended is not among them",
        );
        await daemon.ok("stop", "-t", "1", "web");
        const refused = await daemon.weft("exec", "web", "true");
        assert.deepEqual([refused.status, refused.stderr], [125, "weft: sandbox web is not running\n"]);
        const used = await daemon.weft("network", "rm", "brnet");
        assert.equal(used.status, 1);
        assert.match(used.stderr, /^weft: network brnet has active endpoints/);
        await daemon.ok("rm", "-f", "web", "asker");
        await daemon.ok("network", "rm", "brnet");
      },
      { prepare: joinToHost },
    ));

  test("the network of the host, none, another sandbox's; and namespaces of others", () =>
    withDaemon(async (daemon) => {
      const { outside } = daemon;
      const links = async (...args: readonly string[]) =>
        (await daemon.ok("run", "--rm", ...args, "busybox", "ip", "-o", "link"))
          .split("\n")
          .map((line) => /^\d+: ([^:@]+)/.exec(line)?.[1]);
      assert.deepEqual(await links("--network", "host"), ["lo", "weft0"]);
      assert.deepEqual(await links("--network", "none"), ["lo"]);
      await daemon.ok("run", "-d", "--name", "web", ...server);
      assert.deepEqual(await links("--network", "container:web"), ["lo", "eth0"]);
      assert.notEqual(await fetchedBeside(daemon, "web"), "");

      await daemon.ok("sandbox", "create", "--netns", outside.path, "--name", "outer");
      assert.match(outside.exec("ip", "-br", "address"), /eth0.*172\.17\.0\.3/);
      const again = await daemon.weft("sandbox", "create", "--netns", outside.path);
      assert.equal(again.status, 1);
      assert.match(again.stderr, /one namespace is one sandbox/);
      await daemon.ok("network", "create", "back");
      await daemon.ok("network", "connect", "--ip", "172.18.0.77", "back", "outer");
      assert.match(outside.exec("ip", "-br", "address"), /eth1.*172\.18\.0\.77/);
      await daemon.ok("network", "disconnect", "back", "outer");
      await until("it has left", () => !outside.exec("ip", "-br", "link").includes("eth1"));
      await daemon.ok("sandbox", "rm", "outer");
      await until("it is free", () => !outside.exec("ip", "-br", "link").includes("eth0"));
      assert.match(outside.exec("ip", "-br", "link"), /^lo/);

      const stranger = outside.start("busybox", ["sleep", "1000"]);
      await daemon.ok(
        "sandbox",
        "create",
        "--pid",
        String(stranger.pid),
        "--network",
        "back",
        "--name",
        "by-pid",
      );
      assert.match(outside.exec("ip", "-br", "address"), /eth0.*172\.18\.0\.2/);
      await daemon.ok("sandbox", "rm", "by-pid");
      await until("it is free again", () => !outside.exec("ip", "-br", "link").includes("eth0"));
      stranger.kill("SIGKILL");
    }));
});

/** What the server of a sandbox gives to another that shares its network. */
async function fetchedBeside(daemon: TestDaemon, box: string): Promise<string> {
  const args = ["run", "--rm", "--network", `container:${box}`, ...fetch("127.0.0.1")];
  return daemon.ok(...args);
}
