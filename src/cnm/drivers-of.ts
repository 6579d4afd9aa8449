import {
  BridgeDriver,
  type Driver,
  HostDriver,
  IpvlanDriver,
  MacvlanDriver,
  NullDriver,
  type ParentFacts,
} from "../drivers/index.ts";
import type { Journal } from "../plan/index.ts";
import type { ControllerParts, NativeDriverName } from "./controller-options.ts";
import { forwardedBefore, forwardingLinksBefore } from "./forwarding-before.ts";
import { parentFacts } from "./parent-facts.ts";
import type { Tables } from "./tables.ts";

type Parts = Pick<ControllerParts, "drivers" | "facts">;

/** A controller's drivers by name: the native ones with the facts that they ask for, and those it was given. */
export function driversOf(parts: Parts, tables: Tables, journal: Journal): ReadonlyMap<string, Driver> {
  const drivers = new Map<string, Driver>();
  const parents = parentFacts(parts.facts, tables, drivers);
  for (const one of parts.drivers) {
    const driver = typeof one === "string" ? nativeDriver(one, parts, journal, parents) : one;
    drivers.set(driver.name, driver);
  }
  return drivers;
}

function nativeDriver(
  name: NativeDriverName,
  { facts }: Parts,
  journal: Journal,
  parents: ParentFacts,
): Driver {
  switch (name) {
    case "host":
      return new HostDriver();
    case "null":
      return new NullDriver();
    case "macvlan":
      return new MacvlanDriver(parents);
    case "ipvlan":
      return new IpvlanDriver(parents);
    case "bridge":
      return new BridgeDriver({
        linkKind: (link) => facts.linkKind(link),
        bridgesInUse: () => facts.bridgesInUse(),
        underlayPorts: (bridge) => facts.underlayPorts(bridge),
        smallLinks: () => facts.smallLinks(),
        ipv6Available: () => parents.ipv6Available(),
        parents,
        linksWithAdvertisedRoute: () => facts.linksWithAdvertisedRoute(),
        forwardedBefore: (family) => forwardedBefore(facts, journal, family),
        forwardingLinks: (family) => forwardingLinksBefore(facts, journal, family),
        forcedLinks: () => facts.linksWith(6, "force_forwarding"),
      });
  }
}
