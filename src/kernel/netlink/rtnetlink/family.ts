import { type Family, familyOf, type IpAddress } from "../../../core/index.ts";
import { AF_INET, AF_INET6, AF_UNSPEC } from "./rtm.ts";

/** AF_INET or AF_INET6 of an address or prefix. */
export function addressFamily(text: string): number {
  return familyOf(text) === 4 ? AF_INET : AF_INET6;
}

/** AF_INET or AF_INET6; AF_UNSPEC, which dumps both, when no family is named. */
export function familyNumber(family: Family | undefined): number {
  if (family === undefined) return AF_UNSPEC;
  return family === 4 ? AF_INET : AF_INET6;
}

/** 4 or 6; undefined for a family that is neither, as a multicast table's or MPLS. */
export function familyFromNumber(number: number): Family | undefined {
  if (number === AF_INET) return 4;
  return number === AF_INET6 ? 6 : undefined;
}

/** `0.0.0.0` or `::`, which the kernel leaves out of its messages. */
export function unspecifiedAddress(family: Family): IpAddress {
  return (family === 4 ? "0.0.0.0" : "::") as IpAddress; // canonical as written
}
