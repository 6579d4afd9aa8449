import type { MacAddress } from "../../../core/index.ts";
import { attribute, attributes, nested } from "../attributes.ts";
import { linkLayerAddress } from "../codecs.ts";
import { type NetlinkMessage, type NetlinkRequest, NLM_F_MULTI, readMessages } from "../message.ts";
import { text, u32 } from "../wire.ts";
import { decodeAddress } from "./address.ts";
import { IFF_UP, ifinfomsg } from "./link-attributes.ts";
import { decodeRoute } from "./route.ts";
import { AF_UNSPEC, RTM_DELADDR, RTM_DELLINK, RTM_DELROUTE, RTM_GETLINK, RTM_NEWLINK } from "./rtm.ts";

/**
 * Tells of links of one group that lose something: that go, go down, leave their bridge, get another name,
 * MTU, MAC address or group, or lose an address or a route. What makes them complete is passed over, and so is
 * what becomes of links once they are in the group of those about to be deleted. Of all other links it tells
 * that they come, go, go up or down, or get another name, MTU or bridge, for something may be built on them.
 * For the groups of links, addresses and routes.
 */
export interface DisturbedLinksFilter {
  readonly filter: "disturbed-links";
  /** IFLA_GROUP of the links. */
  readonly group: number;
  /** IFLA_GROUP of links that their owner is deleting. */
  readonly doomedGroup: number;
  /** rtm_protocol of the routes that count. */
  readonly routeProtocol: number;
}

/** The dump of links by which {@link DisturbedLinkFilter} knows those that were there before it. */
export const disturbedLinksQuery: NetlinkRequest = {
  type: RTM_GETLINK,
  flags: 0,
  call: "RTM_GETLINK",
  object: "links",
  body: (writer) => ifinfomsg.write(writer, { family: AF_UNSPEC, type: 0, index: 0, flags: 0, change: 0 }),
};

/** IFLA_*. */
const layout = attributes({
  mac: attribute(1, linkLayerAddress),
  name: attribute(3, text),
  mtu: attribute(4, u32),
  master: attribute(10, u32),
  info: nested(18, attributes({ kind: attribute(1, text) })),
  group: attribute(27, u32),
});
/** What can be lost of a link. */
interface LinkState {
  readonly name: string | undefined;
  readonly up: boolean;
  readonly mtu: number | undefined;
  readonly master: number | undefined;
  /** Not of a bridge, which takes those of its ports. */
  readonly mac: MacAddress | undefined;
}

/** Keeps the state of each link, by index: what it was told first of one of the group is how that should be. */
export class DisturbedLinkFilter {
  readonly #filter: DisturbedLinksFilter;
  readonly #links = new Map<number, LinkState>();
  /** Those of other groups. */
  readonly #others = new Map<number, LinkState>();

  constructor(filter: DisturbedLinksFilter) {
    this.#filter = filter;
  }

  pass(datagram: Buffer): readonly Uint8Array[] {
    let tell = false;
    for (const message of readMessages(datagram)) if (this.#tells(message)) tell = true;
    return tell ? [Uint8Array.prototype.slice.call(datagram)] : [];
  }

  reset(): void {
    this.#links.clear();
    this.#others.clear();
  }

  #tells(message: NetlinkMessage): boolean {
    switch (message.type) {
      case RTM_NEWLINK:
      case RTM_DELLINK:
        return this.#link(message);
      case RTM_DELADDR:
        return this.#isKnown(decodeAddress(message)?.link);
      case RTM_DELROUTE: {
        const route = decodeRoute(message);
        return route?.protocol === this.#filter.routeProtocol && this.#isKnown(route.link);
      }
      default:
        return false;
    }
  }

  #link({ type, flags, payload }: NetlinkMessage): boolean {
    const header = ifinfomsg.read(payload);
    // A bridge tells of its ports in messages of its own, which say less.
    if (header.family !== AF_UNSPEC) return false;
    const { index } = header;
    const { name, mtu, master, mac, info, group } = layout.read(payload.subarray(ifinfomsg.size));
    const former = this.#links.get(index);
    const up = (header.flags & IFF_UP) !== 0;
    const state = { name, up, mtu, master, mac: info?.kind === "bridge" ? undefined : mac };
    const isGone = type === RTM_DELLINK;
    if (group !== this.#filter.group || isGone) {
      this.#links.delete(index);
      if (group === this.#filter.doomedGroup) return false;
      if (group === this.#filter.group || former !== undefined) return true;
      return this.#other(index, isGone ? undefined : state, (flags & NLM_F_MULTI) !== 0);
    }
    this.#others.delete(index);
    this.#links.set(index, state);
    return former !== undefined && hasLost(former, state);
  }

  /** Whether a link of another group has changed; undefined for one that has gone. A dump tells how links are, and of no change. */
  #other(index: number, state: LinkState | undefined, isDump: boolean): boolean {
    const former = this.#others.get(index);
    if (state === undefined) return this.#others.delete(index);
    this.#others.set(index, state);
    if (former === undefined) return !isDump;
    return (
      former.name !== state.name ||
      former.mtu !== state.mtu ||
      former.up !== state.up ||
      former.master !== state.master
    );
  }

  #isKnown(link: number | undefined): boolean {
    return link !== undefined && this.#links.has(link);
  }
}

function hasLost(former: LinkState, now: LinkState): boolean {
  return (
    (former.up && !now.up) ||
    (former.master !== undefined && former.master !== now.master) ||
    former.name !== now.name ||
    former.mtu !== now.mtu ||
    former.mac !== now.mac
  );
}
