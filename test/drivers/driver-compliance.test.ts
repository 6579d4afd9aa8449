import { BridgeDriver, HostDriver, MacvlanDriver, NullDriver } from "../../src/drivers/index.ts";
import type { HostHand } from "../cnm/host-hand.ts";
import { driverCompliance } from "./driver-compliance.ts";
import { FakePluginDriver } from "./fake-plugin-driver.ts";
import { hostLink, parentFacts } from "./parent/parent-facts.ts";

driverCompliance({
  name: "bridge",
  driver: () =>
    new BridgeDriver({
      linkKind: () => undefined,
      forwardedBefore: () => false,
      forwardingLinks: () => [],
      forcedLinks: () => [],
      bridgesInUse: () => [],
      underlayPorts: () => [],
      smallLinks: () => [],
      linksWithAdvertisedRoute: () => [],
      ipv6Available: () => true,
      parents: parentFacts({}),
    }),
});
driverCompliance({ name: "host", driver: () => new HostDriver(), sandbox: { hostNetns: true } });
for (const mode of ["bridge", "passthru"])
  driverCompliance({
    name: "macvlan",
    driver: () => new MacvlanDriver(parentFacts({ links: [hostLink("eth0")] })),
    options: { parent: "eth0", macvlan_mode: mode },
    prepare: ({ hand }) => hand.addUplink("eth0"),
  });
driverCompliance({ name: "null", driver: () => new NullDriver() });

/** A hand for plans, which touch nothing. */
const idleHand: HostHand = {
  addBridge() {},
  addVeth() {},
  addMarkedBridge() {},
  addUplink() {},
  addVlan() {},
  setMtu() {},
  renameLink() {},
  deleteLink() {},
  enslave() {},
  hasLink: () => false,
  addAddress() {},
  bringUp() {},
  flushNftables() {},
  setSysctl() {},
  writeFile() {},
  takePort() {},
  giveUpPort() {},
};

let plugin: FakePluginDriver | undefined;
driverCompliance({
  name: "plugin",
  driver: () => new FakePluginDriver(idleHand),
  world: () => {
    // One plugin for a world: it outlives the controllers.
    let own: FakePluginDriver | undefined;
    let ownHand: HostHand | undefined;
    return {
      drivers: (hand) => {
        if (own === undefined || ownHand !== hand) own = new FakePluginDriver(hand);
        ownHand = hand;
        plugin = own;
        return [own];
      },
    };
  },
  left: () => [
    ...(plugin?.state ?? []),
    ...(plugin?.calls ?? []).filter((call) => call.endsWith("not given back")),
  ],
});
