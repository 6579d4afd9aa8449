import assert from "node:assert/strict";
import { test } from "node:test";
import { hostNetns, type SysctlObject } from "../../../src/kernel/index.ts";
import type { Session } from "../../../src/kernel/linux/session.ts";
import { readSysctls } from "../../../src/kernel/linux/sysctl-readings.ts";
import type { Link } from "../../../src/kernel/netlink/rtnetlink/index.ts";
import { type LinuxHost, onLinux } from "./on-linux.ts";

/** The values that a reading finds: with its namespaces, links tell theirs; without, files are read. */
async function values(
  { kernel }: LinuxHost,
  namespaces: readonly string[],
  lookUp: readonly SysctlObject[],
): Promise<Readonly<Record<string, string>>> {
  const found = await kernel.read({ namespaces, lookUp });
  return Object.fromEntries(
    found.flatMap(({ object }) =>
      object.kind === "sysctl" ? [[`${object.netns} ${object.key}`, object.value]] : [],
    ),
  );
}

test("links tell the same settings of their IPv6 as the files, in each namespace its own", async () => {
  await onLinux(async (linux) => {
    const { host, kernel, netnsFolder } = linux;
    const box = `${netnsFolder}/box`;
    await kernel.apply([{ op: "create", object: { kind: "netns", netns: box } }]);
    host.exec("ip", "link", "add", "d.0", "type", "veth", "peer", "name", "small", "mtu", "1000");
    const rows: readonly (readonly [netns: string, link: string, name: string, value: string])[] = [
      [hostNetns, "d.0", "disable_ipv6", "1"],
      [hostNetns, "d.0", "accept_ra", "2"],
      [hostNetns, "d.0", "autoconf", "0"],
      [hostNetns, "d.0", "accept_dad", "-1"],
      [hostNetns, "lo", "accept_ra", "-1"],
      [hostNetns, "lo", "disable_ipv6", "0"],
      [box, "lo", "disable_ipv6", "1"],
      [box, "lo", "autoconf", "1"],
      [box, "all", "accept_ra", "0"],
    ];
    const objects = rows.map(
      ([netns, link, name, value]): SysctlObject => ({
        kind: "sysctl",
        netns,
        key: `net/ipv6/conf/${link}/${name}`,
        value,
      }),
    );
    const written = await kernel.apply(objects.map((object) => ({ op: "create", object })));
    assert.deepEqual(
      written,
      objects.map(() => undefined),
    );
    const sysctl = (netns: string, key: string): SysctlObject => ({ kind: "sysctl", netns, key, value: "" });
    const others = [
      sysctl(box, "net/ipv4/ip_unprivileged_port_start"),
      sysctl(hostNetns, "net/ipv6/conf/d.0/ra_defrtr_metric"),
      // Too small for IPv6, not there at all, and a namespace that is none.
      sysctl(hostNetns, "net/ipv6/conf/small/disable_ipv6"),
      sysctl(hostNetns, "net/ipv6/conf/none0/disable_ipv6"),
      sysctl(box, "net/ipv6/conf/d.0/disable_ipv6"),
      sysctl(`${netnsFolder}/gone`, "net/ipv6/conf/lo/disable_ipv6"),
    ];
    const lookUp = [...objects, ...others];
    const told = await values(linux, [hostNetns, box], lookUp);
    assert.deepEqual(told, await values(linux, [], lookUp));
    for (const { netns, key, value } of objects) assert.equal(told[`${netns} ${key}`], value, key);
    assert.equal(told[`${box} net/ipv4/ip_unprivileged_port_start`], "1024");
    assert.equal(told[`${hostNetns} net/ipv6/conf/small/disable_ipv6`], undefined);
    await kernel.apply([{ op: "delete", object: { kind: "netns", netns: box } }]);
  });
});

test("for what links tell of themselves nobody goes to their namespace", () => {
  const link = { name: "eth0", ipv6Conf: { disable_ipv6: 1 } } as Link; // the rest of it is of no interest
  const reading = { netns: "/run/box", links: [link], hostId: () => undefined };
  const visits: string[] = [];
  const session = {
    within: (netns: string) => {
      visits.push(netns);
      return [];
    },
  };
  const sysctl = (netns: string, name: string): SysctlObject => ({
    kind: "sysctl",
    netns,
    key: `net/ipv6/conf/eth0/${name}`,
    value: "",
  });
  const told = sysctl("/run/box", "disable_ipv6");
  const asked = [
    sysctl("/run/box", "accept_ra"),
    sysctl("/run/other", "disable_ipv6"),
    sysctl("/run/box", "mtu"),
  ];
  const found = readSysctls(session as unknown as Session, [told, ...asked], [reading]); // all that is used of it
  assert.deepEqual(found, [{ object: { ...told, value: "1" }, marked: false }]);
  assert.deepEqual(visits, ["/run/box", "/run/other"], "each once");
});
