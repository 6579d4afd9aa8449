import { readAttributes, writeAttribute } from "../attributes.ts";
import { type Codec, text } from "../wire.ts";
import { type BridgePort, bridgePortOptions } from "./bridge-port.ts";
import { type BridgeOptions, bridgeOptions } from "./kinds/bridge.ts";
import { type IpvlanOptions, ipvlanOptions } from "./kinds/ipvlan.ts";
import { type MacvlanOptions, macvlanOptions } from "./kinds/macvlan.ts";
import { type VethOptions, vethOptions } from "./kinds/veth.ts";
import { type VlanOptions, vlanOptions } from "./kinds/vlan.ts";
import { type VrfOptions, vrfOptions } from "./kinds/vrf.ts";
import { type VxlanOptions, vxlanOptions } from "./kinds/vxlan.ts";

/** What sort of link it is, with the settings that only this sort has. */
export type LinkKind =
  | ({ readonly kind: "bridge" } & BridgeOptions)
  | ({ readonly kind: "veth" } & VethOptions)
  | ({ readonly kind: "vxlan" } & VxlanOptions)
  | ({ readonly kind: "macvlan" } & MacvlanOptions)
  | ({ readonly kind: "ipvlan" } & IpvlanOptions)
  | ({ readonly kind: "vlan" } & VlanOptions)
  | ({ readonly kind: "vrf" } & VrfOptions)
  | { readonly kind: "dummy" }
  | { readonly kind: "ifb" }
  /** One that is not declared here; made with the kernel's defaults. */
  | { readonly kind: "other"; readonly name: string };

type KnownKind = Exclude<LinkKind["kind"], "other">;

const nothing: Codec<object> = { write: () => {}, read: () => ({}) };

// Keys are the kernel's names of the kinds (IFLA_INFO_KIND).
const dataCodecs: Readonly<Record<KnownKind, Codec<object>>> = {
  bridge: bridgeOptions,
  veth: vethOptions,
  vxlan: vxlanOptions,
  macvlan: macvlanOptions,
  ipvlan: ipvlanOptions,
  vlan: vlanOptions,
  vrf: vrfOptions,
  dummy: nothing,
  ifb: nothing,
};

function isKnownKind(name: string): name is KnownKind {
  return Object.hasOwn(dataCodecs, name);
}

/** The kernel's name of a kind, `bridge`. */
export function kindName(kind: LinkKind): string {
  return kind.kind === "other" ? kind.name : kind.kind;
}

/** IFLA_LINKINFO: the link's kind, and its settings as the port of a bridge. */
export interface LinkInfo {
  readonly kind?: LinkKind | undefined;
  readonly port?: BridgePort | undefined;
}

/** IFLA_INFO_* of include/uapi/linux/if_link.h. */
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_INFO_SLAVE_KIND = 4;
const IFLA_INFO_SLAVE_DATA = 5;

/** The codec of {@link LinkInfo}: which codec the data wants is told by the kind before it. */
export const linkInfo: Codec<LinkInfo> = {
  write(writer, { kind, port }) {
    if (kind !== undefined) {
      writeAttribute(writer, IFLA_INFO_KIND, false, (w) => text.write(w, kindName(kind)));
      if (kind.kind !== "other") writeUnlessEmpty(IFLA_INFO_DATA, dataCodecs[kind.kind], kind);
    }
    if (port !== undefined) {
      writeAttribute(writer, IFLA_INFO_SLAVE_KIND, false, (w) => text.write(w, "bridge"));
      writeUnlessEmpty(IFLA_INFO_SLAVE_DATA, bridgePortOptions, port);
    }

    function writeUnlessEmpty<T>(number: number, codec: Codec<T>, value: T): void {
      const start = writer.length;
      writeAttribute(writer, number, true, (w) => codec.write(w, value));
      if (writer.length === start + 4) writer.length = start; // only its header was written
    }
  },
  read(bytes) {
    const found = new Map<number, Buffer>();
    for (const { number, payload } of readAttributes(bytes)) found.set(number, payload);
    const name = found.get(IFLA_INFO_KIND);
    const master = found.get(IFLA_INFO_SLAVE_KIND);
    const isPort = master !== undefined && text.read(master) === "bridge";
    return {
      ...(name === undefined ? {} : { kind: readKind(text.read(name), found.get(IFLA_INFO_DATA)) }),
      ...(isPort ? { port: bridgePortOptions.read(found.get(IFLA_INFO_SLAVE_DATA) ?? Buffer.alloc(0)) } : {}),
    };
  },
};

function readKind(name: string, data: Buffer | undefined): LinkKind {
  if (!isKnownKind(name)) return { kind: "other", name };
  const options = data === undefined ? {} : dataCodecs[name].read(data);
  return { ...options, kind: name } as LinkKind; // the codec of this very kind read the options
}
