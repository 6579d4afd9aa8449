import type { Finding } from "../api/index.ts";
import type { Underlay } from "../drivers/index.ts";
import type { HostFacts, Platform, WireLink } from "../facts/index.ts";

/** A network that meets the wire. */
export interface WireNetwork {
  readonly name: string;
  readonly underlay: Underlay;
  /** A sandbox is on it now. */
  readonly joined: boolean;
}

/** What the checks look at. */
export type UnderlayFacts = Pick<HostFacts, "wireLink" | "hardwareLinks" | "platform">;

/** What each network that meets the wire finds there; where there is none, what one would find. */
export function underlayFindings(facts: UnderlayFacts, networks: readonly WireNetwork[]): readonly Finding[] {
  const platform = facts.platform();
  if (networks.length === 0) return candidateFindings(facts, platform);
  return networks.flatMap((network) => networkFindings(facts, platform, network));
}

/** Short: there may never be such a network. */
function candidateFindings(facts: UnderlayFacts, platform: Platform | undefined): readonly Finding[] {
  const links = facts.hardwareLinks().flatMap((name) => facts.wireLink(name) ?? []);
  const wireless = links.filter(takesOneAddress);
  return [
    ...wireless.map(
      (link): Finding => ({
        Check: `underlay: ${link.name}`,
        Level: "note",
        Found:
          "wireless: an access point takes one MAC address a station, so no macvlan network or bridge can have it for its parent",
        Advice: "make such networks of driver ipvlan, or on a link with a cable",
      }),
    ),
    ...(platform === undefined || links.length === 0
      ? []
      : [
          {
            Check: "underlay: machine",
            Level: "note",
            Found: `${platform}: ${manners[platform].macs}`,
            Advice: `before you make a macvlan network: ${manners[platform].forMacs}`,
          } satisfies Finding,
        ]),
  ];
}

function networkFindings(
  facts: UnderlayFacts,
  platform: Platform | undefined,
  network: WireNetwork,
): readonly Finding[] {
  const { name, underlay } = network;
  const at = underlay.port ?? underlay.link;
  const finding = (what: string, Level: Finding["Level"], Found: string, Advice = ""): Finding => ({
    Check: `underlay of ${name}: ${what}`,
    Level,
    Found,
    Advice,
  });
  const link = facts.wireLink(at);
  if (link === undefined) {
    const advice = "bring it back; what of it weft made comes back by `weft drift --repair`";
    return [finding("link", "problem", `${at} is not there: the network reaches nobody outside`, advice)];
  }
  const checks: readonly (Omit<Finding, "Check"> & { readonly what: string })[] = [
    linkCheck(link),
    ...wirelessCheck(link, underlay),
    ...platformCheck(platform, underlay),
    ...promiscuousCheck(link, network),
    ...mtuCheck(link, network),
  ];
  return checks.map(({ what, Level, Found, Advice }) => finding(what, Level, Found, Advice));
}

type Check = Omit<Finding, "Check"> & { readonly what: string };

function linkCheck({ name, up, running }: WireLink): Check {
  const what = "link";
  if (!up)
    return {
      what,
      Level: "problem",
      Found: `${name} is down`,
      Advice: `ip link set ${name} up`,
    };
  if (!running)
    return {
      what,
      Level: "warning",
      Found: `${name} has no carrier: nothing is plugged in, or the other end is down`,
      Advice: "look at the cable, the switch's port and the hypervisor's",
    };
  return { what, Level: "ok", Found: `${name} is up`, Advice: "" };
}

/** A station whose frames name three addresses can send for itself alone (IEEE 802.11, To DS). */
function takesOneAddress({ wireless }: WireLink): boolean {
  if (wireless === undefined || wireless.role === "access point") return false;
  return !wireless.fourAddress;
}

function wirelessCheck(link: WireLink, { sharesMac }: Underlay): readonly Check[] {
  if (link.wireless === undefined) return [];
  const what = "wireless";
  const role = link.wireless.role === "unknown" ? "interface" : link.wireless.role;
  if (!takesOneAddress(link) || sharesMac === true)
    return [
      {
        what,
        Level: "ok",
        Found: `${link.name} is a wireless ${role}, which this network can use`,
        Advice: "",
      },
    ];
  return [
    {
      what,
      Level: "problem",
      Found: `${link.name} is a wireless ${role}: the access point takes one MAC address a station, and hears no sandbox`,
      Advice: "make the network anew with driver ipvlan, or on a link with a cable",
    },
  ];
}

interface Manners {
  /** What becomes of frames from MAC addresses that the platform did not give out. */
  readonly macs: string;
  readonly forMacs: string;
  /** What becomes of packets from IP addresses that it did not give out; absent where nothing does. */
  readonly addresses?: string;
  readonly forAddresses?: string;
}

const dropsMacs = "its network drops frames from MAC addresses that it did not give out";
const dropsAddresses = "its network drops packets from addresses that it did not assign to the interface";

/** How platforms treat what sandboxes send, by their own documentation. */
const manners: Readonly<Record<Platform, Manners>> = {
  "Amazon EC2": {
    macs: dropsMacs,
    forMacs: "use ipvlan in mode l3 or l2, with addresses that are assigned to the interface",
    addresses: dropsAddresses,
    forAddresses:
      "assign the sandboxes' addresses to the interface as secondary ones or as a prefix; or use mode l3, turn the source/destination check off and add routes to this instance",
  },
  "Google Compute Engine": {
    macs: dropsMacs,
    forMacs: "use ipvlan in mode l3, with addresses of an alias IP range",
    addresses: dropsAddresses,
    forAddresses:
      "give the instance an alias IP range for the sandboxes; or turn IP forwarding on and add routes to this instance",
  },
  "Microsoft Azure": {
    macs: dropsMacs,
    forMacs: "use ipvlan in mode l3, with addresses that are assigned to the interface",
    addresses: dropsAddresses,
    forAddresses:
      "add the sandboxes' addresses to the interface's IP configurations; or turn IP forwarding on and add a route table",
  },
  "Hyper-V": {
    macs: "its switch drops frames from MAC addresses other than the adapter's own",
    forMacs:
      "turn MAC address spoofing on for the adapter (Set-VMNetworkAdapter -MacAddressSpoofing On), or use ipvlan",
  },
  DigitalOcean: {
    macs: dropsMacs,
    forMacs: "use ipvlan in mode l3, and routes; a bridge or macvlan reaches nobody",
    addresses: dropsAddresses,
    forAddresses: "use addresses of this host's own, by a bridge network with published ports",
  },
  OpenStack: {
    macs: "port security drops frames from MAC addresses other than the port's own",
    forMacs:
      "add the sandboxes' MAC and IP addresses to the port's allowed address pairs, or turn its port security off",
    addresses: "port security drops packets from addresses other than the port's own",
    forAddresses: "add the sandboxes' addresses to the port's allowed address pairs",
  },
  "Oracle Cloud": {
    macs: dropsMacs,
    forMacs: "use ipvlan in mode l3, with addresses that are assigned to the VNIC",
    addresses: dropsAddresses,
    forAddresses:
      "assign the sandboxes' addresses to the VNIC as secondary ones; or turn on 'skip source/destination check' and add routes",
  },
  "Alibaba Cloud": {
    macs: dropsMacs,
    forMacs: "use ipvlan in mode l3, with addresses that are assigned to the interface",
    addresses: dropsAddresses,
    forAddresses:
      "assign the sandboxes' addresses to the interface as secondary ones, or add routes to this instance",
  },
  "Hetzner Cloud": {
    macs: dropsMacs,
    forMacs: "use ipvlan in mode l3, and routes of the private network to this server",
    addresses: "its private networks pass packets by the routes that they have",
    forAddresses: "add a route of the network to this server for the sandboxes' subnet",
  },
  VMware: {
    macs: "its switch drops frames from MAC addresses other than the adapter's own, unless its port group allows them",
    forMacs:
      "let the port group accept forged transmits and, without MAC learning, promiscuous mode; or use ipvlan",
  },
  VirtualBox: {
    macs: "its bridged adapter gives frames for other MAC addresses to nobody, unless promiscuous mode is allowed",
    forMacs: "set the adapter's promiscuous mode to allow all, or use ipvlan",
  },
};

function platformCheck(platform: Platform | undefined, { sharesMac }: Underlay): readonly Check[] {
  if (platform === undefined) return [];
  const { macs, forMacs, addresses, forAddresses = "" } = manners[platform];
  const what = "machine";
  if (sharesMac !== true) return [{ what, Level: "warning", Found: `${platform}: ${macs}`, Advice: forMacs }];
  if (addresses === undefined) return [];
  return [{ what, Level: "note", Found: `${platform}: ${addresses}`, Advice: forAddresses }];
}

function promiscuousCheck(link: WireLink, { underlay, joined }: WireNetwork): readonly Check[] {
  const isNeeded = underlay.promiscuous === "always" || (underlay.promiscuous !== undefined && joined);
  const what = "promiscuous mode";
  const { name, promiscuity, promiscuousFlag, master } = link;
  if (promiscuity > 0) {
    const keepers = [
      ...(master === undefined ? [] : [`${master}, of which it is a port`]),
      ...(promiscuousFlag ? ["its own flag, which a person or a program has set"] : []),
    ];
    const known =
      keepers.length >= promiscuity
        ? keepers
        : [
            ...keepers,
            `${promiscuity - keepers.length} besides, such as a passthru interface, a listening program, or a card that filters fewer addresses than there are`,
          ];
    const Found = `on: ${name} hears what is for others; kept by ${known.join("; ")}`;
    if (isNeeded) return [{ what, Level: "ok", Found, Advice: "" }];
    const Advice = "the network does not need it now, and it costs CPU time where much goes to others";
    return [{ what, Level: "note", Found, Advice }];
  }
  if (!isNeeded) return [];
  const Found = `off: ${name} does not hear what is for sandboxes`;
  const Advice =
    "something turned it off: `weft drift --repair` puts the network's links right, `ip link set " +
    `${name} promisc on\` does it by hand`;
  return [{ what, Level: "problem", Found, Advice }];
}

function mtuCheck({ name, mtu }: WireLink, { underlay }: WireNetwork): readonly Check[] {
  if (underlay.mtu <= mtu) return [];
  return [
    {
      what: "MTU",
      Level: "problem",
      Found: `${name} takes frames of ${mtu} bytes, and the network has an MTU of ${underlay.mtu}: larger packets are lost`,
      Advice: `raise it (ip link set ${name} mtu ${underlay.mtu}; the switch has to take them too), or make the network anew with -o com.docker.network.driver.mtu=${mtu}`,
    },
  ];
}
