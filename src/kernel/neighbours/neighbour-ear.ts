import { type Family, familyOf, type IpAddress } from "../../core/index.ts";
import { isKernelError } from "../kernel-error.ts";
import { inNetns } from "../netns.ts";
import * as sys from "../syscalls.ts";
import { claimFilter } from "./claim-filter.ts";
import { type Claim, readClaim } from "./claims.ts";
import { allNodesMac, ETH_P_ARP, ETH_P_IPV6, solicitedNodeMac } from "./frames.ts";
import { AF_PACKET, joinMulticast, leaveMulticast, linkLayerAddress } from "./packet-socket.ts";

/** Bytes of a frame that are looked at; the rest of a longer one says nothing of addresses. */
const frameBytes = 2048;
/** Frames taken off a socket in one go: whoever floods the link is not listened to for ever. */
const framesAtOnce = 256;

/** Somebody who wants to know what is said of addresses. */
export interface ClaimListener {
  readonly addresses: readonly IpAddress[];
  readonly hear: (claim: Claim) => void;
}

// What a receive gave is read before the next one.
const received = Buffer.allocUnsafe(frameBytes);

/**
 * Hears what is said of addresses on one link, and speaks there, for everybody who asks at the same time: one
 * packet socket a family, whose end waits for an RCU grace period, so that many askers have one such wait. The
 * link needs no address, and is not made promiscuous.
 */
export class NeighbourEar {
  readonly #netnsFd: number;
  readonly #index: number;
  readonly #sockets = new Map<Family, number>();
  readonly #filters = new Map<Family, Buffer>();
  readonly #listeners = new Set<ClaimListener>();
  readonly #listenersOf: Readonly<Record<Family, Map<IpAddress, Set<ClaimListener>>>> = {
    4: new Map(),
    6: new Map(),
  };

  constructor(netnsFd: number, index: number) {
    this.#netnsFd = netnsFd;
    this.#index = index;
  }

  /** True while nobody listens; then there are no sockets. */
  get idle(): boolean {
    return this.#listeners.size === 0;
  }

  /** Begins to listen. Throws KernelError, ENODEV and ENXIO when the link is gone; then nobody new listens. */
  add(listener: ClaimListener): void {
    this.#listeners.add(listener);
    for (const address of listener.addresses) {
      const listenersOf = this.#listenersOf[familyOf(address)];
      const others = listenersOf.get(address);
      if (others === undefined) listenersOf.set(address, new Set([listener]));
      else others.add(listener);
    }
    try {
      for (const family of familiesOf(listener)) this.#listen(family, listener);
    } catch (error) {
      this.remove(listener);
      throw error;
    }
  }

  /** Listens no longer; the last one's sockets close in the background. */
  remove(listener: ClaimListener): void {
    if (!this.#listeners.delete(listener)) return;
    for (const address of listener.addresses) {
      const listenersOf = this.#listenersOf[familyOf(address)];
      const others = listenersOf.get(address);
      others?.delete(listener);
      if (others?.size === 0) listenersOf.delete(address);
    }
    if (!this.idle) {
      for (const family of familiesOf(listener)) this.#forget(family, listener);
      return;
    }
    for (const fd of this.#sockets.values()) void sys.closeSlowly(fd); // with its multicast memberships
    this.#sockets.clear();
    this.#filters.clear();
  }

  /** Sends a frame about an address of `family`; what the kernel has no room for is lost. Throws KernelError, ENETDOWN when the link is down. */
  send(family: Family, frame: Uint8Array): void {
    const fd = this.#sockets.get(family);
    if (fd === undefined) return;
    try {
      sys.sendNow(fd, frame, frame.length);
    } catch (error) {
      if (!isKernelError(error, "ENOBUFS")) throw error;
    }
  }

  /** Tells the listeners of what came since this was called last. Throws KernelError, ENETDOWN when the link went down. */
  read(): void {
    for (const fd of this.#sockets.values()) {
      for (let i = 0; i < framesAtOnce; i++) {
        const length = sys.recvNow(fd, received, `link ${this.#index}`);
        if (length === undefined) break;
        const claim = readClaim(received.subarray(0, length));
        if (claim !== undefined) this.#tell(claim);
      }
    }
  }

  #tell(claim: Claim): void {
    const listeners = this.#listenersOf[familyOf(claim.address)].get(claim.address) ?? [];
    for (const listener of [...listeners]) listener.hear(claim);
  }

  #listen(family: Family, listener: ClaimListener): void {
    const fd = this.#sockets.get(family) ?? this.#open(family);
    this.#setFilter(family, fd);
    if (family === 6) for (const mac of solicitedNodes(listener)) joinMulticast(fd, this.#index, mac);
  }

  #open(family: Family): number {
    // Protocol 0: nothing comes before the filter is there and the socket is bound.
    const fd = inNetns(this.#netnsFd, () => sys.socket(AF_PACKET, sys.SOCK_RAW, 0));
    try {
      this.#setFilter(family, fd);
      const etherType = family === 4 ? ETH_P_ARP : ETH_P_IPV6;
      sys.bind(fd, linkLayerAddress(this.#index, etherType), `link ${this.#index}`);
      if (family === 6) joinMulticast(fd, this.#index, allNodesMac);
    } catch (error) {
      this.#filters.delete(family);
      void sys.closeSlowly(fd);
      throw error;
    }
    this.#sockets.set(family, fd);
    return fd;
  }

  #forget(family: Family, listener: ClaimListener): void {
    const fd = this.#sockets.get(family);
    if (fd === undefined) return;
    try {
      this.#setFilter(family, fd);
      if (family === 6) for (const mac of solicitedNodes(listener)) leaveMulticast(fd, this.#index, mac);
    } catch (error) {
      // The link is gone, and its memberships with it; or they were never there.
      if (!isKernelError(error)) throw error;
    }
  }

  #setFilter(family: Family, fd: number): void {
    const filter = claimFilter(this.#index, family, [...this.#listenersOf[family].keys()]);
    if (this.#filters.get(family)?.equals(filter) === true) return;
    sys.attachFilter(fd, filter);
    this.#filters.set(family, filter);
  }
}

function familiesOf({ addresses }: ClaimListener): ReadonlySet<Family> {
  return new Set(addresses.map(familyOf));
}

function solicitedNodes({ addresses }: ClaimListener): readonly Uint8Array[] {
  return addresses.filter((address) => familyOf(address) === 6).map(solicitedNodeMac);
}
