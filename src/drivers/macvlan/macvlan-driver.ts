import { WeftError } from "../../core/index.ts";
import type { MacvlanSpec } from "../../kernel/index.ts";
import type { DriverNetwork } from "../contract.ts";
import { type EndpointKind, ParentDriver } from "../parent/index.ts";

/** The options that only macvlan networks have (LN §1.5). */
const macvlanOption = { mode: "macvlan_mode" } as const;

const modes = ["bridge", "private", "vepa", "passthru"] as const;
type Mode = Extract<MacvlanSpec["mode"], (typeof modes)[number]>;

/** The macvlan driver: each endpoint is a link with a MAC address of its own on its parent's wire. */
export class MacvlanDriver extends ParentDriver {
  readonly name = "macvlan";
  protected readonly feature = "macvlan";
  protected readonly dummyPrefix = "dm";
  protected readonly ownOptions = Object.values(macvlanOption);

  protected endpointKind({ options }: Pick<DriverNetwork, "options">): EndpointKind {
    const mode = modeOf(options[macvlanOption.mode] ?? "");
    const spec = (parent: string): MacvlanSpec => ({ type: "macvlan", parent, mode });
    // It has its parent whole: the parent's MAC address, and all that comes to it.
    if (mode === "passthru") return { use: "macvlan passthru", spec, ownMac: false, onWire: true, limit: 1 };
    return { use: "macvlan", spec, ownMac: true, onWire: true };
  }
}

function modeOf(text: string): Mode {
  if (text === "") return "bridge";
  const mode = modes.find((one) => one === text);
  if (mode !== undefined) return mode;
  throw new WeftError(
    "INVALID_OPTION",
    `requested macvlan mode '${text}' is not valid, 'bridge' mode is the macvlan driver default: there are ${modes.join(", ")}`,
  );
}
