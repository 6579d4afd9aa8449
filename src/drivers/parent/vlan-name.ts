import { WeftError } from "../../core/index.ts";

/** The VLAN sub-interface that a name like `eth0.10` stands for. */
export interface VlanName {
  /** The link below, `eth0`. */
  readonly parent: string;
  /** The tag, 1 to 4094: 0 says that there is none, and 4095 is reserved (IEEE 802.1Q). */
  readonly id: number;
}

/**
 * Reads the name of a VLAN sub-interface; undefined when it has not got that form. A number with zeros before
 * it would be another name for the same VLAN. Throws INVALID_OPTION for a number that no VLAN has (LN §1.5).
 */
export function parseVlanName(name: string): VlanName | undefined {
  const [, parent, digits] = /^(.+)\.(0|[1-9][0-9]*)$/.exec(name) ?? [];
  if (parent === undefined || digits === undefined) return undefined;
  const id = Number(digits);
  if (id < 1 || id > 4094)
    throw new WeftError("INVALID_OPTION", `vlan id must be between 1-4094, received: ${digits}`);
  return { parent, id };
}
