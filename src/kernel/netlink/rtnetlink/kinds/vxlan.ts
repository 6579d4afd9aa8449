import { type IpAddress, isIpv4 } from "../../../../core/index.ts";
import { type Attributes, attribute, attributes } from "../../attributes.ts";
import { bool8 } from "../../codecs.ts";
import { type Codec, flag, ipAddress, u8, u16be, u32, u32be } from "../../wire.ts";

/** IFLA_VXLAN_* of include/uapi/linux/if_link.h; addresses have a number for each family. */
const raw = attributes({
  id: attribute(1, u32),
  remote4: attribute(2, ipAddress),
  link: attribute(3, u32),
  local4: attribute(4, ipAddress),
  ttl: attribute(5, u8),
  tos: attribute(6, u8),
  learning: attribute(7, bool8),
  ageingSeconds: attribute(8, u32),
  limit: attribute(9, u32),
  proxy: attribute(11, bool8),
  shortCircuit: attribute(12, bool8),
  l2miss: attribute(13, bool8),
  l3miss: attribute(14, bool8),
  port: attribute(15, u16be),
  remote6: attribute(16, ipAddress),
  local6: attribute(17, ipAddress),
  udpChecksum: attribute(18, bool8),
  udpZeroChecksum6Transmit: attribute(19, bool8),
  udpZeroChecksum6Receive: attribute(20, bool8),
  gbp: attribute(23, flag),
  collectMetadata: attribute(25, bool8),
  flowLabel: attribute(26, u32be),
  df: attribute(29, u8),
});

type Raw = Attributes<typeof raw>;

/**
 * Settings of a VXLAN link. `id` is the VNI, `remote` the default destination (a peer or a multicast
 * group), `local` the source address, `link` the index of the underlay link, `port` the UDP port (the
 * kernel's default is 8472, IANA's 4789), `limit` of FDB entries (0: none). Only `learning`, `ageing`
 * and the destination can be changed later. An unspecified address is read as absent.
 */
export type VxlanOptions = Omit<Raw, "remote4" | "remote6" | "local4" | "local6"> & {
  readonly remote?: IpAddress | undefined;
  readonly local?: IpAddress | undefined;
};

/** The codec of {@link VxlanOptions}. */
export const vxlanOptions: Codec<VxlanOptions> = {
  write(writer, { remote, local, ...rest }) {
    raw.write(writer, {
      ...rest,
      ...(remote === undefined ? {} : isIpv4(remote) ? { remote4: remote } : { remote6: remote }),
      ...(local === undefined ? {} : isIpv4(local) ? { local4: local } : { local6: local }),
    });
  },
  read(bytes) {
    const { remote4, remote6, local4, local6, ...rest } = raw.read(bytes);
    const remote = remote4 ?? remote6;
    const local = local4 ?? local6;
    return {
      ...rest,
      ...(remote === undefined ? {} : { remote }),
      ...(local === undefined ? {} : { local }),
    };
  },
};
