import type { Driver, ParentFacts, ParentUser } from "../drivers/index.ts";
import type { HostFacts } from "../facts/index.ts";
import { driverNetwork } from "./driver-views.ts";
import type { Tables } from "./tables.ts";

/** What drivers have to know of the host and of each other's networks before they build on one of its links. */
export function parentFacts(
  facts: HostFacts,
  tables: Pick<Tables, "networks">,
  drivers: ReadonlyMap<string, Driver>,
): ParentFacts {
  const ipv6 = facts.sysctl("net/ipv6/conf/all/forwarding") !== undefined; // a kernel's own, for good
  return {
    link: (name) => facts.link(name),
    linksOn: (name) => facts.linksOn(name),
    addressesOn: (name) => facts.addressesOn(name),
    missingModule: (feature) => facts.missingFeature(feature)?.module,
    ipv6Available: () => ipv6,
    ranksAdvertisedRoutes: () => facts.sysctl("net/ipv6/conf/default/ra_defrtr_metric") !== undefined,
    users: () => usersIn(tables, drivers),
  };
}

/** Those on their way out too: the kernel may not have let go of the link yet. */
function usersIn({ networks }: Pick<Tables, "networks">, drivers: ReadonlyMap<string, Driver>): ParentUser[] {
  return [...networks.all()].flatMap((record) => {
    if (record.configOnly || record.answer === undefined) return [];
    const use = drivers.get(record.driver)?.parentUse?.(driverNetwork(record));
    return use === undefined ? [] : [{ ...use, network: record.name }];
  });
}
