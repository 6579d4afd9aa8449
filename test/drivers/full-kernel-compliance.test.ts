import { IpvlanDriver, MacvlanDriver } from "../../src/drivers/index.ts";
import { needsKernel } from "../needs-kernel.ts";
import { driverCompliance } from "./driver-compliance.ts";
import { hostLink, parentFacts } from "./parent/parent-facts.ts";

needsKernel("802.1Q", "dummy", "ipvlan");

const facts = parentFacts({ links: [hostLink("eth0"), hostLink("eth0.10")] });

for (const mode of ["l2", "l3", "l3s"])
  driverCompliance({
    name: "ipvlan",
    driver: () => new IpvlanDriver(facts),
    options: { parent: "eth0", ipvlan_mode: mode },
    prepare: ({ hand }) => hand.addUplink("eth0"),
  });
driverCompliance({
  name: "macvlan",
  driver: () => new MacvlanDriver(facts),
  options: { parent: "eth0.10" },
  prepare: ({ hand }) => hand.addUplink("eth0"),
});
