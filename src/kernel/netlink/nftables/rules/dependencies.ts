import type { Expression } from "../expressions/index.ts";
import type { TableFamily } from "../family.ts";
import { encodeField } from "../field.ts";
import { type FieldNeeds, headerFields } from "./header-fields.ts";
import { metaTypes } from "./key-types.ts";
import type { Term } from "./term.ts";

type Layer = keyof FieldNeeds;

/**
 * What a rule has matched so far: which protocol the packet is of. A field of a header is only read once
 * that is known, else `ip daddr` would read bytes out of the middle of an IPv6 header.
 */
export class KnownProtocols {
  readonly #family: TableFamily;
  readonly #known = new Map<Layer, string>();

  constructor(family: TableFamily) {
    this.#family = family;
    if (family === "ip") this.#known.set("network", "ipv4");
    if (family === "ip6") this.#known.set("network", "ipv6");
    if (family === "bridge" || family === "netdev" || family === "arp") this.#known.set("link", "ether");
  }

  /** Notes that the rule itself matches `meta l4proto tcp` or the like. */
  note(term: Term, value: unknown): void {
    if (typeof value !== "string") return;
    if (term.term === "meta" && term.key === "l4proto") this.#known.set("transport", value);
    if (term.term === "meta" && term.key === "nfproto") this.#known.set("network", value);
    if (term.term === "header" && (term.field === "ip protocol" || term.field === "ip6 nexthdr"))
      this.#known.set("transport", value);
  }

  /** The steps that must come before a term is read. Throws RangeError when it can never be read here. */
  require(term: Term): readonly Expression[] {
    return needsOf(term).flatMap(([layer, wanted]) => this.#requireLayer(layer, wanted));
  }

  #requireLayer(layer: Layer, wanted: string): readonly Expression[] {
    const known = this.#known.get(layer);
    if (known === wanted) return [];
    if (known !== undefined)
      throw new RangeError(`a rule of family ${this.#family} that is for ${known} cannot read ${wanted}`);
    this.#known.set(layer, wanted);
    return this.#check(layer, wanted);
  }

  #check(layer: Layer, wanted: string): readonly Expression[] {
    if (layer === "transport") return check("l4proto", wanted);
    if (layer === "link") return check("iiftype", ARPHRD_ETHER);
    if (this.#family === "inet") return check("nfproto", wanted);
    return check("protocol", wanted === "ipv4" ? "ip" : "ip6");
  }
}

const ARPHRD_ETHER = 1;

function check(
  key: "l4proto" | "nfproto" | "protocol" | "iiftype",
  value: string | number,
): readonly Expression[] {
  return [
    { kind: "meta", key, into: 0 },
    { kind: "cmp", from: 0, op: "==", value: encodeField(metaTypes[key], value).toString("hex") },
  ];
}

function needsOf(term: Term): readonly (readonly [Layer, string])[] {
  switch (term.term) {
    case "header": {
      const needs: FieldNeeds = headerFields[term.field].needs;
      const layers: readonly Layer[] = ["link", "network", "transport"];
      return layers.flatMap((layer) => (needs[layer] === undefined ? [] : [[layer, needs[layer]] as const]));
    }
    case "concat":
      return term.parts.flatMap(needsOf);
    case "masked":
    case "jhash":
      return needsOf(term.of);
    case "map":
      return needsOf(term.key);
    default:
      return [];
  }
}
