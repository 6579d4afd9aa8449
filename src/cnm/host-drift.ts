import type { Drift } from "../plan/index.ts";
import type { GoneLink } from "./gone-links.ts";
import type { TakenPortDrift } from "./lost-ports.ts";

/** A difference between the host and the records: in the kernel, or a link or port that is another's. */
export type HostDrift = Drift | GoneLink | TakenPortDrift;
