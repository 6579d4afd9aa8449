import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMac } from "../../src/core/index.ts";
import {
  hostNetns,
  type IpvlanSpec,
  identityOf,
  type KernelObject,
  type LinkObject,
  type LinkSpec,
  type MacvlanSpec,
  type VlanSpec,
} from "../../src/kernel/index.ts";
import { address, bridge, up } from "./compliance-objects.ts";
import {
  all,
  create,
  type KernelHost,
  marked,
  type OnHost,
  outcomes,
  remove,
  states,
} from "./kernel-compliance.ts";

const link = (netns: string, name: string, spec: LinkSpec, more: Partial<LinkObject> = {}): LinkObject => ({
  kind: "link",
  netns,
  name,
  spec,
  ...more,
});
const onHost = (name: string, spec: LinkSpec, more: Partial<LinkObject> = {}) =>
  link(hostNetns, name, spec, more);
const adopted = (name: string) => onHost(name, { type: "adopted" });
const macvlan = (mode: MacvlanSpec["mode"], parent = "eth9"): MacvlanSpec => ({
  type: "macvlan",
  parent,
  mode,
});
const ipvlan = (mode: IpvlanSpec["mode"], flag: IpvlanSpec["flag"], parent = "eth9"): IpvlanSpec => ({
  type: "ipvlan",
  parent,
  mode,
  flag,
});
const vlan = (id: number, more: Partial<VlanSpec> = {}): VlanSpec => ({
  type: "vlan",
  parent: "eth9",
  id,
  protocol: "802.1Q",
  ...more,
});
const port = (name: string, master: string): KernelObject => ({
  kind: "port",
  netns: hostNetns,
  link: name,
  master,
  hairpin: false,
  isolated: false,
});

/** Two sandboxes, and a link of the host's that is nobody's yet and up. */
async function prepared(host: KernelHost) {
  const [box, second] = [`${host.netnsFolder}/box`, `${host.netnsFolder}/second`];
  host.addStrangersLink("eth9");
  const base: readonly KernelObject[] = [
    { kind: "netns", netns: box },
    { kind: "netns", netns: second },
    adopted("eth9"),
    up(hostNetns, "eth9"),
  ];
  assert.deepEqual(await outcomes(host, ...base.map(create)), all(base, "done"));
  return { box, second, before: await marked(host) };
}

/** They are made, read as they were made and marked, made twice refused, deleted, and nothing is left. */
async function comeAndGo(host: KernelHost, before: readonly string[], objects: readonly KernelObject[]) {
  assert.deepEqual(await outcomes(host, ...objects.map(create)), all(objects, "done"));
  assert.deepEqual(await states(host, objects), all(objects, "right"));
  assert.deepEqual(await marked(host), [...before, ...objects.map(identityOf)].sort());
  for (const object of objects)
    if (object.kind === "link")
      assert.deepEqual(await outcomes(host, create(object)), ["EEXIST"], object.name);
  const back = objects.toReversed();
  assert.deepEqual(await outcomes(host, ...back.map(remove)), all(back, "done"));
  assert.deepEqual(await marked(host), before);
  assert.deepEqual(await outcomes(host, ...back.map(remove)), all(back, "done"), "what is gone");
}

function sentences(name: string, host: OnHost) {
  return (sentence: string, work: (host: KernelHost) => Promise<void>) =>
    test(`${name}: ${sentence}`, () => host(work));
}

/** What every kernel must do about macvlan. */
export function macvlanCompliance(name: string, given: OnHost): void {
  const on = sentences(name, given);

  on("macvlans are born in their sandboxes, read as they were made, and deleted", async (host) => {
    const { box, second, before } = await prepared(host);
    await comeAndGo(host, before, [
      link(box, "eth0", macvlan("bridge"), { mtu: 1400, mac: parseMac("02:42:0a:00:00:02") }),
      link(second, "eth0", macvlan("private")),
      onHost("mv0", macvlan("vepa"), { alias: "for people" }),
      address(box, "eth0", "10.4.0.2/24"),
      address(box, "eth0", "fd04::2/64"),
      up(box, "eth0"),
    ]);
  });

  on("a macvlan's mode is changed in place, but for passthru", async (host) => {
    const { box } = await prepared(host);
    const before = link(box, "eth0", macvlan("bridge"));
    const after = link(box, "eth0", macvlan("private"));
    await host.kernel.apply([create(before)]);
    assert.deepEqual(await states(host, [after]), ["in-place"]);
    assert.deepEqual(await outcomes(host, { op: "change", object: after, former: before }), ["done"]);
    const other = [macvlan("passthru"), macvlan("private", "none0")].map((spec) => link(box, "eth0", spec));
    assert.deepEqual(await states(host, [after, before, ...other]), [
      "right",
      "in-place",
      "recreate",
      "recreate",
    ]);
  });

  on(
    "a parent has one macvlan in passthru mode and no other, and no bridge beside macvlans",
    async (host) => {
      const { box, second } = await prepared(host);
      const [through, shared] = [
        link(box, "eth0", macvlan("passthru")),
        link(second, "eth0", macvlan("bridge")),
      ];
      const bridged = [bridge("br9"), port("eth9", "br9")];
      assert.deepEqual(await outcomes(host, create(through)), ["done"]);
      assert.deepEqual(await states(host, [through]), ["right"]);
      assert.deepEqual(await outcomes(host, create(shared)), ["EINVAL"]);
      assert.deepEqual(await outcomes(host, remove(through), create(shared)), ["done", "done"]);
      assert.deepEqual(await outcomes(host, create(through)), ["EINVAL"]);
      assert.deepEqual(await outcomes(host, ...bridged.map(create)), ["done", "EBUSY"]);
      assert.deepEqual(await outcomes(host, remove(shared), ...bridged.slice(1).map(create)), [
        "done",
        "done",
      ]);
      assert.deepEqual(await outcomes(host, create(shared)), ["EBUSY"]);
      const orphan = link(second, "eth1", macvlan("bridge", "none0"));
      assert.deepEqual(await outcomes(host, create(orphan)), ["ENODEV"]);
      assert.deepEqual(await states(host, [through, shared, orphan]), all([1, 2, 3], "absent"));
    },
  );

  on("what stands on a link goes with it, in whatever namespace it is", async (host) => {
    const { box, second, before } = await prepared(host);
    const parent = bridge("par0");
    const children = [
      link(box, "eth0", macvlan("bridge", "par0")),
      link(second, "eth0", macvlan("bridge", "par0")),
      address(second, "eth0", "10.4.0.2/24"),
    ];
    assert.deepEqual(await outcomes(host, ...[parent, ...children].map(create)), all([0, 1, 2, 3], "done"));
    assert.deepEqual(await outcomes(host, remove(parent)), ["done"]);
    assert.deepEqual(await states(host, [parent, ...children]), all([0, 1, 2, 3], "absent"));
    assert.deepEqual(await marked(host), before);
  });
}

/** What every kernel must do about dummy links, VLANs and ipvlan. */
export function linkKindsCompliance(name: string, given: OnHost): void {
  const on = sentences(name, given);

  on("dummy links and VLANs are made, read as they were made, and deleted", async (host) => {
    const { before } = await prepared(host);
    await comeAndGo(host, before, [
      onHost("dm0", { type: "dummy" }, { mtu: 1400, mac: parseMac("02:00:00:00:00:09"), alias: "internal" }),
      onHost("eth9.10", vlan(10), { alias: "for people" }),
      onHost("eth9.20", vlan(20), { mtu: 1400 }),
      onHost("tagged", vlan(10, { protocol: "802.1ad" })),
      onHost("dm0.10", vlan(10, { parent: "dm0" })),
      up(hostNetns, "dm0"),
      up(hostNetns, "dm0.10"),
      up(hostNetns, "eth9.10"),
      address(hostNetns, "eth9.10", "10.4.0.1/24"),
    ]);
  });

  on("a parent has each VLAN once, and one that is down has none that is up", async (host) => {
    await prepared(host);
    const [first, again, orphan] = [
      onHost("eth9.10", vlan(10)),
      onHost("vlan10", vlan(10)),
      onHost("none0.10", vlan(10, { parent: "none0" })),
    ];
    assert.deepEqual(await outcomes(host, create(first)), ["done"]);
    assert.deepEqual(await outcomes(host, create(again)), ["EEXIST"]);
    assert.deepEqual(await outcomes(host, create(orphan)), ["ENODEV"]);
    const others = [vlan(11), vlan(10, { protocol: "802.1ad" })].map((spec) => onHost("eth9.10", spec));
    assert.deepEqual(await states(host, [first, again, ...others]), [
      "right",
      "absent",
      "recreate",
      "recreate",
    ]);
    const [down, tagged] = [onHost("dm1", { type: "dummy" }), onHost("dm1.5", vlan(5, { parent: "dm1" }))];
    assert.deepEqual(await outcomes(host, create(down), create(tagged)), ["done", "done"]);
    assert.deepEqual(await outcomes(host, create(up(hostNetns, "dm1.5"))), ["ENETDOWN"]);
  });

  on("ipvlans are born in their sandboxes, read as they were made, and deleted", async (host) => {
    const { box, second, before } = await prepared(host);
    for (const mode of ["l2", "l3", "l3s"] as const)
      for (const flag of ["bridge", "private", "vepa"] as const)
        await comeAndGo(host, before, [
          link(box, "eth0", ipvlan(mode, flag), { mtu: 1400 }),
          link(second, "eth0", ipvlan(mode, flag)),
          address(box, "eth0", "10.4.0.2/24"),
          address(box, "eth0", "fd04::2/64"),
          up(box, "eth0"),
        ]);
  });

  on("all ipvlans of a parent have the mode and flag of the last that was made or changed", async (host) => {
    const { box, second } = await prepared(host);
    const [first, later] = [
      link(box, "eth0", ipvlan("l2", "bridge")),
      link(second, "eth0", ipvlan("l3", "private")),
    ];
    const alike = link(box, "eth0", ipvlan("l3", "private"));
    assert.deepEqual(await outcomes(host, create(first), create(later)), ["done", "done"]);
    assert.deepEqual(await states(host, [first, alike, later]), ["in-place", "right", "right"]);
    assert.deepEqual(await outcomes(host, { op: "change", object: first, former: alike }), ["done"]);
    assert.deepEqual(await states(host, [first, later]), ["right", "in-place"]);
    const elsewhere = link(box, "eth0", ipvlan("l2", "bridge", "none0"));
    assert.deepEqual(await states(host, [elsewhere]), ["recreate"]);
  });

  on("one parent carries VLANs beside either macvlans or ipvlans or a bridge", async (host) => {
    const { box, second } = await prepared(host);
    const [mine, theirs] = [
      link(box, "eth0", ipvlan("l2", "bridge")),
      link(second, "eth0", macvlan("bridge")),
    ];
    const tagged = onHost("eth9.10", vlan(10));
    const bridged = [bridge("br9"), port("eth9", "br9")];
    assert.deepEqual(await outcomes(host, create(mine), create(tagged)), ["done", "done"]);
    assert.deepEqual(await outcomes(host, create(theirs)), ["EBUSY"]);
    assert.deepEqual(await outcomes(host, ...bridged.map(create)), ["done", "EBUSY"]);
    assert.deepEqual(await outcomes(host, remove(mine), create(theirs)), ["done", "done"]);
    assert.deepEqual(await outcomes(host, create(mine)), ["EBUSY"]);
    assert.deepEqual(await outcomes(host, remove(theirs), create(port("eth9", "br9"))), ["done", "done"]);
    assert.deepEqual(await outcomes(host, create(mine)), ["EBUSY"]);
    assert.deepEqual(await states(host, [tagged]), ["right"]);
  });

  on("what stands on a VLAN goes with it, and what stands on that VLAN's parent stays", async (host) => {
    const { box, second } = await prepared(host);
    const [parent, sub] = [onHost("dm0", { type: "dummy" }), onHost("dm0.10", vlan(10, { parent: "dm0" }))];
    const [above, beside] = [
      link(box, "eth0", ipvlan("l3", "bridge", "dm0.10")),
      link(second, "eth0", macvlan("bridge", "dm0")),
    ];
    const objects = [parent, sub, above, beside];
    assert.deepEqual(await outcomes(host, ...objects.map(create)), all(objects, "done"));
    assert.deepEqual(await outcomes(host, remove(sub)), ["done"]);
    assert.deepEqual(await states(host, objects), ["right", "absent", "absent", "right"]);
    assert.deepEqual(await outcomes(host, remove(parent)), ["done"]);
    assert.deepEqual(await states(host, objects), all(objects, "absent"));
  });
}
