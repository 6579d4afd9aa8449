/**
 * The least MTU that a family works with, bytes (RFC 791, RFC 8200). On a link with less, Linux has nothing of the
 * family: no address, and none of the link's settings below /proc/sys/net.
 */
export const leastMtu = { ipv4: 68, ipv6: 1280 } as const;
