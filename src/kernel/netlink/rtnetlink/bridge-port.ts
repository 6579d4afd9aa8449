import { type Attributes, attribute, attributes } from "../attributes.ts";
import { bool8, enumerated } from "../codecs.ts";
import { u8, u16, u32 } from "../wire.ts";

/** The spanning-tree state of a port, BR_STATE_* of include/uapi/linux/if_bridge.h. */
export const portState = enumerated(u8, {
  disabled: 0,
  listening: 1,
  learning: 2,
  forwarding: 3,
  blocking: 4,
});

/**
 * IFLA_BRPORT_* of include/uapi/linux/if_link.h, inside IFLA_INFO_SLAVE_DATA or IFLA_PROTINFO. Absent
 * ones stay as they are; a dump gives all that the kernel knows.
 */
export const bridgePortOptions = attributes({
  state: attribute(1, portState),
  priority: attribute(2, u16),
  cost: attribute(3, u32),
  /** IFLA_BRPORT_MODE: frames may leave by the port they came in by. */
  hairpin: attribute(4, bool8),
  bpduGuard: attribute(5, bool8),
  rootBlock: attribute(6, bool8),
  fastLeave: attribute(7, bool8),
  learning: attribute(8, bool8),
  /** Frames to unknown addresses are sent here too. */
  unicastFlood: attribute(9, bool8),
  proxyArp: attribute(10, bool8),
  multicastFlood: attribute(27, bool8),
  multicastToUnicast: attribute(28, bool8),
  vlanTunnel: attribute(29, bool8),
  broadcastFlood: attribute(30, bool8),
  groupForwardMask: attribute(31, u16),
  /** ARP and neighbour discovery are answered from the neighbour table instead of flooded. */
  neighbourSuppress: attribute(32, bool8),
  /** Isolated ports reach only those that are not. */
  isolated: attribute(33, bool8),
  locked: attribute(39, bool8),
});

/** Settings of a link as port of a bridge. */
export type BridgePort = Attributes<typeof bridgePortOptions>;
