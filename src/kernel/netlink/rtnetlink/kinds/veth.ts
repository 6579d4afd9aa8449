import type { MacAddress } from "../../../../core/index.ts";
import { attribute, attributes } from "../../attributes.ts";
import type { Codec } from "../../wire.ts";
import { commonLinkAttributes, ifinfomsg } from "../link-attributes.ts";
import { AF_UNSPEC } from "../rtm.ts";

/**
 * The other end of a veth pair, as the request that makes the pair describes it. It cannot be born up
 * (the kernel refuses the whole request with ENOTCONN), nor as the port of a bridge; the first end can.
 */
export interface VethPeer {
  readonly name?: string | undefined;
  /** Index in its namespace. The kernel honours it only when the request chooses the first end's too. */
  readonly index?: number | undefined;
  readonly mac?: MacAddress | undefined;
  /** Bytes. */
  readonly mtu?: number | undefined;
  readonly txQueueLength?: number | undefined;
  readonly group?: number | undefined;
  readonly numTxQueues?: number | undefined;
  readonly numRxQueues?: number | undefined;
  /** The namespace it is born in; that of the first end, when absent. */
  readonly netnsFd?: number | undefined;
}

/** Settings of a veth pair. Only requests carry the peer: a dump tells its index as `lower`. */
export interface VethOptions {
  readonly peer?: VethPeer | undefined;
}

const peerAttributes = attributes(commonLinkAttributes);

const peerCodec: Codec<VethPeer> = {
  write(writer, { index = 0, ...rest }) {
    ifinfomsg.write(writer, { family: AF_UNSPEC, type: 0, index, flags: 0, change: 0 });
    peerAttributes.write(writer, rest);
  },
  read(bytes) {
    const { index } = ifinfomsg.read(bytes);
    return {
      ...(index === 0 ? {} : { index }),
      ...peerAttributes.read(bytes.subarray(ifinfomsg.size)),
    };
  },
};

/** VETH_INFO_PEER of include/uapi/linux/veth.h. */
export const vethOptions: Codec<VethOptions> = attributes({ peer: attribute(1, peerCodec) });
