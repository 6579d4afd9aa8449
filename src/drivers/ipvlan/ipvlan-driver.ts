import { WeftError } from "../../core/index.ts";
import type { IpvlanSpec } from "../../kernel/index.ts";
import type { DriverNetwork } from "../contract.ts";
import { type EndpointKind, ParentDriver } from "../parent/index.ts";

/** The options that only ipvlan networks have (LN §1.6). */
const ipvlanOption = { mode: "ipvlan_mode", flag: "ipvlan_flag" } as const;

const modes = ["l2", "l3", "l3s"] as const;
const flags = ["bridge", "private", "vepa"] as const;

/**
 * The ipvlan driver: each endpoint is a link with its parent's MAC address and addresses of its own. In mode
 * l2 it is on its parent's wire; in l3 and l3s the parent routes, also between subnets of the network.
 */
export class IpvlanDriver extends ParentDriver {
  readonly name = "ipvlan";
  protected readonly feature = "ipvlan";
  protected readonly dummyPrefix = "di";
  protected readonly ownOptions = Object.values(ipvlanOption);

  protected endpointKind({ options }: Pick<DriverNetwork, "options">): EndpointKind {
    const mode = choice(modes, options[ipvlanOption.mode], "mode");
    const flag = choice(flags, options[ipvlanOption.flag], "flag");
    const spec = (parent: string): IpvlanSpec => ({ type: "ipvlan", parent, mode, flag });
    return { use: "ipvlan", spec, ownMac: false, onWire: mode === "l2" };
  }
}

/** One of a few words, the first of them when it is absent or empty. Throws INVALID_OPTION. */
function choice<const Words extends readonly string[]>(
  words: Words,
  text: string | undefined,
  what: "mode" | "flag",
): Words[number] {
  const [fallback = ""] = words;
  if (text === undefined || text === "") return fallback;
  const word = words.find((one) => one === text);
  if (word !== undefined) return word;
  throw new WeftError(
    "INVALID_OPTION",
    `requested ipvlan ${what} '${text}' is not valid, '${fallback}' ${what} is the ipvlan driver default: there are ${words.join(", ")}`,
  );
}
