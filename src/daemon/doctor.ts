import type { Finding } from "../api/index.ts";
import type { Feature, HostFacts } from "../facts/index.ts";
import { type UnderlayFacts, underlayFindings, type WireNetwork } from "./underlay-findings.ts";

/** What the doctor looks at. */
export interface Patient {
  readonly facts: Pick<
    HostFacts,
    "foreignForwardChains" | "usesLegacyIptables" | "sysctl" | "linksWithAdvertisedRoute" | "resolvConf"
  > &
    UnderlayFacts;
  readonly features: readonly Feature[];
  /** How many objects differ from what they should be; undefined where no daemon tells. */
  readonly drifted: number | undefined;
  /** Whether weft has a network that forwards. */
  readonly forwards: boolean;
  /** The networks that meet the wire. */
  readonly wireNetworks: readonly WireNetwork[];
}

/** What this host offers and what is missing, with what to do about it. */
export function diagnose(patient: Patient): readonly Finding[] {
  return [
    ...patient.features.map(featureFinding),
    ...forwardingFindings(patient),
    ...firewallFindings(patient),
    bridgeNetfilterFinding(patient),
    nameserverFinding(patient),
    ...underlayFindings(patient.facts, patient.wireNetworks),
    ...driftFindings(patient),
  ];
}

function featureFinding({ name, available, module, neededFor }: Feature): Finding {
  const Check = `kernel: ${name}`;
  if (available) return { Check, Level: "ok", Found: "available", Advice: "" };
  return {
    Check,
    Level: "note",
    Found: `missing; needed for ${neededFor}`,
    Advice: `load the module ${module}, or use a kernel that has it`,
  };
}

function forwardingFindings({ facts, forwards }: Patient): readonly Finding[] {
  const isOn = (key: string) => (facts.sysctl(key) ?? "0") !== "0";
  const four = isOn("net/ipv4/ip_forward");
  const routes = facts.linksWithAdvertisedRoute();
  const findings: Finding[] = [
    {
      Check: "forwarding: IPv4",
      Level: four || !forwards ? "ok" : "problem",
      Found: four ? "on" : "off",
      Advice: four || !forwards ? "" : "something turned it off: `weft drift --repair` turns it on again",
    },
  ];
  if (routes.length === 0) return findings;
  findings.push({
    Check: "forwarding: IPv6",
    Level: "note",
    Found: `${routes.join(", ")} learned the default route from a router advertisement`,
    Advice:
      "Linux drops such routes when forwarding is turned on, unless accept_ra is 2: weft keeps IPv6 forwarding of these links off",
  });
  return findings;
}

function firewallFindings({ facts }: Patient): readonly Finding[] {
  const findings = facts.foreignForwardChains().map(({ family, table, chain, drops }): Finding => {
    const Check = `firewall: ${family} ${table} ${chain}`;
    if (!drops) return { Check, Level: "ok", Found: "drops nothing that is forwarded", Advice: "" };
    return {
      Check,
      Level: "note",
      Found: "may drop what is forwarded",
      Advice: "weft keeps one rule there that lets its own traffic pass; nothing else of it is touched",
    };
  });
  if (!facts.usesLegacyIptables()) return findings;
  return [
    ...findings,
    {
      Check: "firewall: iptables-legacy",
      Level: "warning",
      Found: "tables of iptables-legacy are in use, which weft does not see",
      Advice:
        "change to iptables-nft (update-alternatives --set iptables /usr/sbin/iptables-nft), or accept the mark 0x1000000/0x1000000 in FORWARD",
    },
  ];
}

function bridgeNetfilterFinding({ facts }: Patient): Finding {
  const Check = "bridge netfilter";
  const value = facts.sysctl("net/bridge/bridge-nf-call-iptables");
  if (value !== "1")
    return { Check, Level: "ok", Found: value === undefined ? "not loaded" : "off", Advice: "" };
  return {
    Check,
    Level: "note",
    Found: "on: frames between sandboxes of one network go through the host's firewall rules",
    Advice: "that costs throughput; another program wants it, or it is off as soon as weft is alone",
  };
}

function nameserverFinding({ facts }: Patient): Finding {
  const Check = "names of the outside";
  const servers = facts.resolvConf().match(/^nameserver\s+\S+/gm) ?? [];
  if (servers.length > 0) return { Check, Level: "ok", Found: `${servers.length} name servers`, Advice: "" };
  return {
    Check,
    Level: "warning",
    Found: "the host's resolv.conf names no server: sandboxes find each other, and nothing outside",
    Advice: 'name one there, or set "dns" in the configuration',
  };
}

function driftFindings({ drifted }: Patient): readonly Finding[] {
  const Check = "drift";
  if (drifted === undefined) return [];
  if (drifted === 0) return [{ Check, Level: "ok", Found: "the host is as it should be", Advice: "" }];
  return [
    {
      Check,
      Level: "problem",
      Found: `${drifted} objects differ from what they should be`,
      Advice: "see `weft drift`; `weft drift --repair` mends it",
    },
  ];
}
