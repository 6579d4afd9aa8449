export { AddressProber, type AddressQuestion, type HeldAddress } from "./address-prober.ts";
export { claimFilter } from "./claim-filter.ts";
export { type Claim, readClaim } from "./claims.ts";
export { announcementFrame, probeFrame } from "./frames.ts";
export { AF_PACKET, linkLayerAddress } from "./packet-socket.ts";
