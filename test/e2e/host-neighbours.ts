import type { TestNetns } from "../netns-fixture.ts";

/** What a namespace believes of its neighbours with these addresses: `address on link at mac`. */
export function neighboursOf(where: TestNetns, addresses: readonly string[]): readonly string[] {
  const found = JSON.parse(where.exec("ip", "-json", "neighbour")) as readonly {
    readonly dst: string;
    readonly dev: string;
    readonly lladdr?: string;
  }[]; // ip's format
  return found
    .filter(({ dst }) => addresses.includes(dst))
    .map(({ dst, dev, lladdr }) => `${dst} on ${dev} at ${lladdr ?? "no address"}`)
    .sort();
}
