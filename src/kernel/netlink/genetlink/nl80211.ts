import { attribute, attributes } from "../attributes.ts";
import type { NetlinkMessage } from "../message.ts";
import type { NetlinkSocket } from "../socket.ts";
import { u8, u32 } from "../wire.ts";
import { familyId } from "./family.ts";
import { genlmsghdr } from "./message.ts";

/** Of include/uapi/linux/nl80211.h. */
const NL80211_CMD_GET_INTERFACE = 5;
const NL80211_CMD_NEW_INTERFACE = 7;
const NL80211_IFTYPE_STATION = 2;
const NL80211_IFTYPE_AP = 3;

/** NL80211_ATTR_*. */
const interfaceAttributes = attributes({
  index: attribute(3, u32),
  type: attribute(5, u32),
  fourAddress: attribute(83, u8),
});

/** What a wireless interface is. */
export interface WirelessInterface {
  /** `station`: it talks to an access point. `access point`: it is one. */
  readonly role: "station" | "access point" | "other";
  /** Its frames name four addresses (4addr, WDS), so that others can stand behind it. */
  readonly fourAddress: boolean;
}

/**
 * The wireless interface of that number in the socket's namespace; undefined for a link that is none, and on a
 * kernel without nl80211. `socket` is of generic netlink. Throws KernelError.
 */
export function wirelessInterface(socket: NetlinkSocket, index: number): WirelessInterface | undefined {
  const type = familyId(socket, "nl80211");
  if (type === undefined) return undefined;
  const request = {
    type,
    flags: 0,
    call: "NL80211_CMD_GET_INTERFACE",
    object: `link ${index}`,
    body(writer: Parameters<typeof genlmsghdr.write>[0]) {
      genlmsghdr.write(writer, { command: NL80211_CMD_GET_INTERFACE, version: 0 });
      interfaceAttributes.write(writer, { index });
    },
  };
  // EINVAL: the link is there and not wireless.
  return socket.get(request, (message) => decodeInterface(type, message), ["ENODEV", "EINVAL"]);
}

function decodeInterface(family: number, { type, payload }: NetlinkMessage): WirelessInterface | undefined {
  if (type !== family || genlmsghdr.read(payload).command !== NL80211_CMD_NEW_INTERFACE) return undefined;
  const found = interfaceAttributes.read(payload.subarray(genlmsghdr.size));
  return { role: roleOf(found.type), fourAddress: found.fourAddress === 1 };
}

function roleOf(type: number | undefined): WirelessInterface["role"] {
  if (type === NL80211_IFTYPE_STATION) return "station";
  return type === NL80211_IFTYPE_AP ? "access point" : "other";
}
