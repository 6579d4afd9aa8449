import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { until } from "../until.ts";
import { type TestDaemon, withDaemon } from "./test-daemon.ts";

const settings = ["net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range"];
const files = settings.map((name) => `/proc/sys/${name.replaceAll(".", "/")}`);
/** What a command sees of the two settings that Docker's containers have. */
const seen = async (daemon: TestDaemon, ...args: readonly string[]) =>
  (await daemon.ok("run", "--rm", ...args, "cat", ...files)).replaceAll(/\s+/g, " ");

suite("settings of a sandbox", () => {
  test("every user may listen on low ports, in namespaces of weft's", () =>
    withDaemon(async (daemon) => {
      assert.equal(await seen(daemon), "0 0 2147483647");
      assert.equal(await seen(daemon, "--network", "none"), "0 0 2147483647");
      assert.equal(await seen(daemon, "--sysctl", `${settings[0]}=1024`), "1024 0 2147483647");
      const host = daemon.netns
        .exec("cat", ...files)
        .replaceAll(/\s+/g, " ")
        .trim();
      assert.equal(await seen(daemon, "--network", "host"), host);
      await daemon.ok(...typed("run -d --name low -u 1000 busybox nc -l -p 80 -e id -u"));
      const ask = typed("run --rm busybox nc -w 5 low 80");
      let heard = await daemon.weft(...ask);
      await until("it listens", async () => {
        if (heard.stdout !== "") return true;
        heard = await daemon.weft(...ask);
        return heard.stdout !== "";
      });
      assert.equal(heard.stdout, "1000\n");
      // A namespace that something else made is its maker's.
      const before = daemon.outside.exec("cat", ...files);
      await daemon.ok("sandbox", "create", "--netns", daemon.outside.path, "--name", "outer");
      assert.equal(daemon.outside.exec("cat", ...files), before);
      assert.equal(await daemon.ok("drift"), "");
    }));

  test("sysctls are set in its namespace, found again by the next daemon, and refused in words", () =>
    withDaemon(async (daemon) => {
      const value = ["cat", "/proc/sys/net/ipv4/tcp_fin_timeout"] as const;
      const before = daemon.netns.exec(...value);
      await daemon.ok(...typed("run -d --name box --sysctl net.ipv4.tcp_fin_timeout=7 sleep 1000"));
      assert.equal(await daemon.ok("exec", "box", ...value), "7");
      await daemon.kill();
      await daemon.start();
      assert.equal(await daemon.ok("exec", "box", ...value), "7");
      assert.equal(await daemon.ok("drift"), "");
      assert.equal(daemon.netns.exec(...value), before);
      for (const [args, words] of [
        [["--sysctl", "kernel.shmmax=1"], 'sysctl "kernel.shmmax" is not allowed: it should begin with net.'],
        [
          ["--sysctl", "net.ipv4.no_such=1"],
          'sysctl "net.ipv4.no_such" is not allowed: a network namespace of this kernel has none of that name',
        ],
        [
          ["--sysctl", "net.ipv4.tcp_fin_timeout=soon"],
          'invalid value of sysctl net.ipv4.tcp_fin_timeout: the kernel refuses "soon"',
        ],
        [
          ["--network", "host", "--sysctl", "net.ipv4.tcp_fin_timeout=7"],
          'sysctl "net.ipv4.tcp_fin_timeout" not allowed in host network namespace',
        ],
      ] as const) {
        for (const way of [["-d"], []]) {
          const { status, stderr } = await daemon.weft("run", ...way, ...args, "true");
          assert.deepEqual([status, stderr], [125, `weft: ${words}\n`]);
        }
      }
      assert.equal((await daemon.ok("ps", "-aq")).split("\n").length, 1);
      assert.equal(await daemon.ok("drift"), "");
    }));

  test("link-local addresses, a host name and a domain name", () =>
    withDaemon(async (daemon) => {
      await daemon.ok("network", "create", "--ipv6", "--subnet", "fd77::/64", "net");
      const local = ["--link-local-ip", "169.254.7.7", "--link-local-ip", "fe80::77"];
      const names = ["-h", "box", "--domainname", "example.test"];
      const args = ["--name", "one", "--network", "net", ...local, ...names, "busybox", "sleep", "1000"];
      await daemon.ok("run", "-d", ...args);
      const addressesOf = async () =>
        (await daemon.ok(...typed("exec one busybox ip -o address show eth0"))).match(/ inet6? \S+ /g);
      const addresses = String(await addressesOf());
      assert.match(addresses, / inet 169\.254\.7\.7\/16 /);
      assert.match(addresses, / inet6 fe80::77\/64 /);
      assert.equal(await daemon.ok("exec", "one", "cat", "/proc/sys/kernel/hostname"), "box");
      assert.equal(await daemon.ok("exec", "one", "cat", "/proc/sys/kernel/domainname"), "example.test");
      assert.match(await daemon.ok("exec", "one", "cat", "/etc/hosts"), /\tbox\.example\.test box$/m);
      // In the foreground the command line starts it, and has to do the same.
      const files = typed("cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname");
      assert.equal(await daemon.ok("run", "--rm", ...names, ...files), "box\nexample.test");
      for (const [options, words] of [
        [
          ["--link-local-ip", "10.0.0.1"],
          'invalid link local IP address "10.0.0.1": it should be of 169.254.0.0/16 or fe80::/64',
        ],
        [["--link-local-ip", "169.254.7.7"], "Address already in use"],
        [
          ["--domainname", "a b"],
          'invalid domain name "a b": it should be at most 64 letters, digits, hyphens and dots',
        ],
      ] as const) {
        const { status, stderr } = await daemon.weft("run", "-d", "--network", "net", ...options, "true");
        assert.deepEqual([status, stderr], [125, `weft: ${words}\n`]);
      }
      await daemon.kill();
      await daemon.start();
      assert.equal(String(await addressesOf()), addresses);
      assert.equal((await daemon.ok("ps", "-aq")).split("\n").length, 1);
    }));

  test("containers by the ports that they publish and expose", () =>
    withDaemon(async (daemon) => {
      const listed = async (...filters: readonly string[]) =>
        daemon.ok("ps", "-a", "--format", "{{.Names}}", ...filters.flatMap((one) => ["--filter", one]));
      await daemon.ok("run", "-d", "--name", "web", "-p", "8080:80", "--expose", "443", "sleep", "1000");
      await daemon.ok("run", "-d", "--name", "dns", "-p", "5353:53/udp", "sleep", "1000");
      assert.equal(await listed("publish=8080"), "web");
      assert.equal(await listed("publish=80"), "");
      assert.equal(await listed("publish=8000-8090/tcp"), "web");
      assert.equal(await listed("publish=5353"), "");
      assert.equal(await listed("publish=5353/udp"), "dns");
      assert.equal(await listed("publish=5353/udp", "publish=8080"), "dns\nweb");
      assert.equal(await listed("expose=80"), "web");
      assert.equal(await listed("expose=443"), "web");
      assert.equal(await listed("expose=50-60/udp"), "dns");
      const { status, stderr } = await daemon.weft("ps", "--filter", "publish=x");
      assert.deepEqual(
        [status, stderr],
        [1, "weft: invalid filter publish=x: it should be PORT[-PORT][/PROTOCOL], as 80 or 8080-8090/udp\n"],
      );
      await daemon.ok("stop", "-t", "0", "web");
      assert.equal(await listed("publish=8080"), "", "what does not run publishes nothing");
      assert.equal(await listed("expose=443"), "web");
    }));
});

/** The words of a command line. */
function typed(line: string): readonly string[] {
  return line.split(" ");
}
