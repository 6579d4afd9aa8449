export { type AddressGuard, type HeldAddress, noGuard } from "./address-guard.ts";
export { AddressProber, type AddressQuestion } from "./address-prober.ts";
export { claimFilter } from "./claim-filter.ts";
export { type Claim, readClaim } from "./claims.ts";
export { announcementFrame, probeFrame } from "./frames.ts";
export { AF_PACKET, linkLayerAddress } from "./packet-socket.ts";
