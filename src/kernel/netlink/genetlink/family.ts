import { attribute, attributes } from "../attributes.ts";
import type { NetlinkMessage, NetlinkRequest } from "../message.ts";
import type { NetlinkSocket } from "../socket.ts";
import { text, u16 } from "../wire.ts";
import { genlmsghdr } from "./message.ts";

/** GENL_ID_CTRL: the family that knows all others. */
const controlFamily = 0x10;
const CTRL_CMD_NEWFAMILY = 1;
const CTRL_CMD_GETFAMILY = 3;

/** CTRL_ATTR_*. */
const controlAttributes = attributes({ id: attribute(1, u16), name: attribute(2, text) });

/** CTRL_CMD_GETFAMILY: asks which message type a family of generic netlink has. ENOENT when there is none. */
export function getFamily(name: string): NetlinkRequest {
  return {
    type: controlFamily,
    flags: 0,
    call: "CTRL_CMD_GETFAMILY",
    object: `generic netlink family ${name}`,
    body(writer) {
      genlmsghdr.write(writer, { command: CTRL_CMD_GETFAMILY, version: 0 });
      controlAttributes.write(writer, { name });
    },
  };
}

/**
 * The message type of a family of generic netlink, `IPVS`; the kernel loads the family's module for it.
 * Undefined when this kernel has none of that name. Throws KernelError.
 */
export function familyId(socket: NetlinkSocket, name: string): number | undefined {
  return socket.get(getFamily(name), decodeFamily, ["ENOENT"]);
}

function decodeFamily({ type, payload }: NetlinkMessage): number | undefined {
  if (type !== controlFamily || genlmsghdr.read(payload).command !== CTRL_CMD_NEWFAMILY) return undefined;
  return controlAttributes.read(payload.subarray(genlmsghdr.size)).id;
}
