import { mkdirSync } from "node:fs";
import path from "node:path";
import { LinuxKernel } from "../../../src/kernel/index.ts";
import { type TestNetns, withNetns } from "../../netns-fixture.ts";
import type { OnHost } from "../kernel-compliance.ts";

/** A namespace that plays a host, with weft's kernel in it. */
export interface LinuxHost {
  readonly kernel: LinuxKernel;
  readonly host: TestNetns;
  readonly netnsFolder: string;
  readonly fileFolder: string;
}

/** Gives a test a host of its own, and takes it down after. */
export async function onLinux(work: (host: LinuxHost) => Promise<void>): Promise<void> {
  await withNetns(["host"], async ({ host }) => {
    const folder = (name: string) => {
      const made = path.join(path.dirname(host.path), name);
      mkdirSync(made);
      return made;
    };
    const kernel = new LinuxKernel(host.path);
    try {
      await work({ kernel, host, netnsFolder: folder("netns"), fileFolder: folder("files") });
    } finally {
      kernel.close();
      kernel.close();
    }
  });
}

/** {@link onLinux} with the hand of somebody who is not weft, for what every kernel must do. */
export const onLinuxHost: OnHost = (work) =>
  onLinux(({ host, ...rest }) =>
    work({
      ...rest,
      addStrangersLink: (name) =>
        void host.exec("ip", "link", "add", name, "type", "veth", "peer", "name", `${name}p`),
      addStrangersAddress: (link, address) => void host.exec("ip", "address", "add", address, "dev", link),
      addStrangersChain: (family, table, chain) =>
        void host.exec(
          "nft",
          `add table ${family} ${table}; add chain ${family} ${table} ${chain} { type filter hook forward priority 0; policy drop; }`,
        ),
      removeStrangersChain: (family, table) => void host.exec("nft", `delete table ${family} ${table}`),
      addUsersRule: () =>
        void host.exec(
          "nft",
          'add set inet weft theirs { type ipv4_addr; }; add element inet weft theirs { 192.0.2.1 }; add chain inet weft more; add rule inet weft user ip saddr @theirs iifname @ifs tcp dport { 80, 443 } counter jump more comment "mine"',
        ),
      usersRules: () =>
        host
          .exec("nft", "list chain inet weft user")
          .split("\n")
          .filter((line) => line.includes("jump more comment")).length,
    }),
  );
