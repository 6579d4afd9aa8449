/** The address family of a table, as nft writes it. include/uapi/linux/netfilter.h. */
export type TableFamily = "inet" | "ip" | "arp" | "netdev" | "bridge" | "ip6";

const numbers: Readonly<Record<TableFamily, number>> = {
  inet: 1,
  ip: 2,
  arp: 3,
  netdev: 5,
  bridge: 7,
  ip6: 10,
};

/** NFPROTO_* of a family. */
export function familyNumber(family: TableFamily): number {
  return numbers[family];
}

/** The family of an NFPROTO_* number. Throws RangeError for one that tables cannot have. */
export function familyFromNumber(number: number): TableFamily {
  for (const family of Object.keys(numbers) as TableFamily[]) // the keys of a Record<TableFamily, ...>
    if (numbers[family] === number) return family;
  throw new RangeError(`no table family ${number}`);
}
