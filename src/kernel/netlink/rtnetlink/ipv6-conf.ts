import { type Codec, readU32 } from "../wire.ts";

/** DEVCONF_* of include/uapi/linux/ipv6.h, each by the name of its file below net/ipv6/conf/LINK. */
const positions = { accept_ra: 3, autoconf: 5, disable_ipv6: 26, ra_defrtr_metric: 52 } as const;

/** Settings of a link's IPv6, by the names of their files; an older kernel has not all of them. */
export type Ipv6Conf = { readonly [K in keyof typeof positions]?: number };

/** IFLA_INET6_CONF: all settings of a link, 32 bits each, by their positions. It can only be read. */
export const ipv6Conf: Codec<Ipv6Conf> = {
  write() {},
  read(bytes) {
    const found: { -readonly [K in keyof Ipv6Conf]: Ipv6Conf[K] } = {};
    for (const name of names) {
      const at = 4 * positions[name];
      if (at + 4 > bytes.length) continue;
      const value = readU32(bytes, at);
      found[name] = name === "ra_defrtr_metric" ? value : value | 0;
    }
    return found;
  },
};

const names = Object.keys(positions) as readonly (keyof typeof positions)[]; // it has no other keys
