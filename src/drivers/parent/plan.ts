import { hostNetns, type KernelObject } from "../../kernel/index.ts";
import type { Wanted } from "../../plan/index.ts";
import { ipv6Sysctls } from "../ipv6-sysctls.ts";
import type { DummyParent, MadeParent, ParentAnswer } from "./answer.ts";

/**
 * What the host must hold of a network's parent, that link first. Networks of all drivers that share one want the same of
 * it, so it is there as long as any of them is.
 */
export function planParent(parent: ParentAnswer): readonly Wanted[] {
  return objectsOf(parent).map((object) => ({ object }));
}

function objectsOf(parent: ParentAnswer): readonly KernelObject[] {
  switch (parent.origin) {
    case "adopted":
      return [adopted(parent.link)];
    case "dummy":
      return [{ ...own(parent), spec: { type: "dummy" } }, ...silent(parent)];
    case "made": {
      const { parent: below, id } = parent.vlan;
      const alias = `weft VLAN ${id} of ${below}`;
      const spec = { type: "vlan", parent: below, id, protocol: "802.1Q" } as const;
      return [{ ...own(parent), spec, alias }, ...silent(parent), adopted(below)];
    }
  }
}

function adopted(name: string): KernelObject {
  return { kind: "link", netns: hostNetns, name, spec: { type: "adopted" } };
}

function own({ link: name, mtu }: MadeParent | DummyParent) {
  return { kind: "link", netns: hostNetns, name, mtu } as const;
}

/** It is up, but not for the host itself, which would take addresses and routes from routers there. */
function silent({ link, mtu, ipv6Available }: MadeParent | DummyParent): readonly KernelObject[] {
  return [
    ...(ipv6Available ? ipv6Sysctls(hostNetns, link, false, mtu) : []),
    { kind: "up", netns: hostNetns, link },
  ];
}
