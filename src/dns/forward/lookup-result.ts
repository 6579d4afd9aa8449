import { rcode } from "../protocol.ts";
import type { UpstreamAnswer } from "./upstream-answer.ts";

/** What came of asking upstream servers. */
export type LookupResult =
  | UpstreamAnswer
  | {
      readonly kind: "failure";
      /** What the last server that refused said; SERVFAIL when none said anything. */
      readonly rcode: number;
      /** How long it may be kept, s. */
      readonly lifeSeconds: number;
    };

/**
 * How long it is remembered that servers failed or said nothing, s. Programs ask again at once, and each
 * time would wait for all of them: RFC 9520 §3.2 wants at least 1 s. No longer, so that nobody waits for
 * servers that are back.
 */
export const failureLifeSeconds = 1;

/** Nobody could be asked, for reasons of this host's own, which are not remembered. */
export const notAsked: LookupResult = { kind: "failure", rcode: rcode.SERVFAIL, lifeSeconds: 0 };
