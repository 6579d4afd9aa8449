import type { HostLink } from "../../facts/index.ts";
import type { AdoptedParent } from "./answer.ts";

/** A link that is there as the parent that it is; without properties for what it has not got, as records are. */
export function adoptedParent({ name: link, mtu, vlan }: HostLink): AdoptedParent {
  if (vlan === undefined) return { origin: "adopted", link, mtu };
  const { parent, id, protocol } = vlan;
  const own = parent === undefined ? { id, protocol } : { parent, id, protocol };
  return { origin: "adopted", link, mtu, vlan: own };
}
