import assert from "node:assert/strict";
import { parseInterfaceAddress } from "../../../src/core/index.ts";
import { hostNetns, MemoryKernel, type NftTableObject } from "../../../src/kernel/index.ts";
import { nftables } from "../../../src/kernel/netlink/index.ts";
import type { OnHost } from "../kernel-compliance.ts";

function tableOf(kernel: MemoryKernel): NftTableObject | undefined {
  const tables = kernel.all().flatMap(({ object }) => (object.kind === "nft-table" ? [object] : []));
  return tables.find(({ netns }) => netns === hostNetns);
}

/** A twin of a test's own. */
export const onTwin: OnHost = async (work) => {
  const kernel = new MemoryKernel();
  await work({
    kernel,
    netnsFolder: "/test/netns",
    fileFolder: "/test/files",
    addStrangersLink: (name) =>
      kernel.addForeign([{ kind: "link", netns: hostNetns, name, spec: { type: "adopted" } }]),
    addStrangersAddress: (link, address) =>
      kernel.addForeign([
        { kind: "address", netns: hostNetns, link, address: parseInterfaceAddress(address) },
      ]),
    addStrangersChain: (family, table, chain) =>
      kernel.addForeignChains([{ netns: hostNetns, family, table, chain }]),
    removeStrangersChain: (family, table, chain) =>
      kernel.removeForeignChains([{ netns: hostNetns, family, table, chain }]),
    addUsersRule: () => {
      const found = tableOf(kernel);
      assert.ok(found !== undefined);
      const rules = [nftables.rule("inet", [nftables.drop])];
      const chains = { ...found.definition.chains, user: { rules }, more: { rules: [] } };
      kernel.addForeign([{ ...found, definition: { ...found.definition, chains } }]);
    },
    usersRules: () => tableOf(kernel)?.definition.chains.user?.rules.length ?? 0,
  });
};
