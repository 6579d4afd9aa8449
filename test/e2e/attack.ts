import type { MacAddress } from "../../src/core/index.ts";
import {
  echoRequest,
  frame,
  type Message,
  packet,
  type RawLink,
  type Route,
  tcp,
  udp,
} from "../packets/index.ts";
import type { PlainAddresses } from "./sandbox-addresses.ts";

/** Both families. */
export const families = ["ipv4", "ipv6"] as const;
export type FamilyName = (typeof families)[number];

/** Somebody with raw sockets on a link that leads to the host. */
export interface Station {
  readonly link: RawLink;
  readonly addresses: PlainAddresses;
  /** The host's own interface on that link. */
  readonly hostMac: MacAddress;
  /** The host's addresses on that link. */
  readonly gateways: PlainAddresses;
}

/** A packet that should not arrive anywhere; its payload names it. */
export interface Attack {
  readonly from: Station;
  readonly frame: Buffer;
}

/** A packet from a station to the host, for it or to be sent on. */
export function attack(from: Station, route: Route, message: Message): Attack {
  return { from, frame: frame({ from: from.link.mac, to: from.hostMac }, packet(route, message)) };
}

/** The messages that attacks are tried with, to a port of UDP and TCP; each carries its label. */
export function everyMessage(
  family: FamilyName,
  port: number,
): Readonly<Record<string, (label: string) => Message>> {
  return {
    udp: (label) => udp(5353, port, labelled(label)),
    "tcp syn": (label) => tcp(5353, port, ["syn"], labelled(label)),
    "tcp ack": (label) => tcp(5353, port, ["ack"], labelled(label)),
    ping: (label) => echoRequest(family === "ipv4" ? 4 : 6, labelled(label)),
  };
}

/** Where an attack goes: addresses, and a port of UDP and TCP. */
export type Target = readonly [addresses: PlainAddresses, port: number];

/** Every message to each target, under each of the names that are given; its own if none is. */
export function attempts(
  who: string,
  from: Station,
  targets: Readonly<Record<string, Target>>,
  names: Readonly<Record<string, PlainAddresses>> = { itself: from.addresses },
): readonly Attack[] {
  return families.flatMap((family) =>
    Object.entries(names).flatMap(([name, source]) =>
      Object.entries(targets).flatMap(([to, [target, port]]) =>
        Object.entries(everyMessage(family, port)).map(([how, message]) =>
          attack(
            from,
            { source: source[family], target: target[family] },
            message(`${how} of ${who} as ${name} to ${to} over ${family}`),
          ),
        ),
      ),
    ),
  );
}

/** The text by which a packet is recognised wherever it or a part of it arrives. */
export function labelled(label: string): string {
  return `<<${label}>>`;
}

/** The labels that can be read in datagrams. */
export function labelsIn(datagrams: readonly Buffer[]): readonly string[] {
  return datagrams.flatMap((datagram) =>
    [...datagram.toString("latin1").matchAll(/<<([^<>]*)>>/g)].map(([, label = ""]) => label),
  );
}
