import { attribute, attributes } from "../attributes.ts";
import type { NetlinkMessage, NetlinkRequest } from "../message.ts";
import type { NetlinkSocket } from "../socket.ts";
import { i32, padding, struct, u8, u32 } from "../wire.ts";
import { AF_UNSPEC, RTM_GETNSID, RTM_NEWNSID } from "./rtm.ts";

/** struct rtgenmsg of include/uapi/linux/rtnetlink.h, padded to where attributes begin. */
const rtgenmsg = struct({ family: u8, pad: padding(3) });

/** NETNSA_* of include/uapi/linux/net_namespace.h. */
const namespaceAttributes = attributes({ id: attribute(1, i32), fd: attribute(3, u32) });

/** What the kernel answers for a namespace that has no id yet. */
const NETNSA_NSID_NOT_ASSIGNED = -1;

function namespaceRequest(call: string, type: number, fd: number, id?: number): NetlinkRequest {
  return {
    type,
    flags: 0,
    call,
    object: `network namespace fd ${fd}`,
    body(writer) {
      rtgenmsg.write(writer, { family: AF_UNSPEC });
      namespaceAttributes.write(writer, { id, fd });
    },
  };
}

/**
 * RTM_NEWNSID: gives another namespace a number in the socket's, by which links tell where their other
 * end is ({@link Link.lowerNetnsId}); the kernel chooses it when `id` is absent. EEXIST when it has one.
 */
export function assignNamespaceId(fd: number, id: number = NETNSA_NSID_NOT_ASSIGNED): NetlinkRequest {
  return namespaceRequest("RTM_NEWNSID", RTM_NEWNSID, fd, id);
}

/** The number that the socket's namespace knows another one by; undefined when it has none. Throws KernelError. */
export function namespaceIdOf(socket: NetlinkSocket, fd: number): number | undefined {
  const id = socket.get(namespaceRequest("RTM_GETNSID", RTM_GETNSID, fd), decodeNamespaceId, []);
  return id === NETNSA_NSID_NOT_ASSIGNED ? undefined : id;
}

function decodeNamespaceId(message: NetlinkMessage): number | undefined {
  if (message.type !== RTM_NEWNSID) return undefined;
  return namespaceAttributes.read(message.payload.subarray(rtgenmsg.size)).id;
}
