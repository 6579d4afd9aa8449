import { type NetlinkMessage, readMessages, writeMessage } from "../../../../src/kernel/netlink/message.ts";
import { splitHeader } from "../../../../src/kernel/netlink/nfnetlink.ts";
import { chainAttributes, chainFromWire } from "../../../../src/kernel/netlink/nftables/chain.ts";
import {
  type ElementWire,
  elementsFromWire,
  type SetElement,
} from "../../../../src/kernel/netlink/nftables/element.ts";
import { elementListAttributes } from "../../../../src/kernel/netlink/nftables/element-changes.ts";
import { familyFromNumber, type TableFamily } from "../../../../src/kernel/netlink/nftables/family.ts";
import {
  type ChainDefinition,
  type Change,
  type RuleStep,
  type SetType,
  sortElements,
  type TableDefinition,
} from "../../../../src/kernel/netlink/nftables/index.ts";
import { messageName } from "../../../../src/kernel/netlink/nftables/protocol.ts";
import { ruleAttributes, ruleFromWire } from "../../../../src/kernel/netlink/nftables/rule.ts";
import { setAttributes, setFromWire } from "../../../../src/kernel/netlink/nftables/set.ts";
import { compact } from "../../../../src/kernel/netlink/nftables/symbols.ts";
import { tableAttributes, tableFromWire } from "../../../../src/kernel/netlink/nftables/table.ts";
import { Writer } from "../../../../src/kernel/netlink/wire.ts";

/** A batch as the kernel would understand it, read from the messages alone. */
export interface Understood {
  readonly definition: TableDefinition;
  /** The elements given to named sets. */
  readonly elements: Readonly<Record<string, readonly SetElement[]>>;
}

/** The messages that our changes are on the wire. */
export function written(changes: readonly Change[]): readonly NetlinkMessage[] {
  const writer = new Writer();
  for (const [i, change] of changes.entries()) writeMessage(writer, change, 0, i);
  return [...readMessages(Buffer.from(writer.finish()))];
}

interface SeenSet {
  readonly name: string;
  readonly type: SetType;
  readonly anonymous: boolean;
  readonly wires: ElementWire[];
}

/** Puts a table together from the messages that make it, whoever wrote them. */
export function understand(messages: readonly NetlinkMessage[]): Understood {
  const reader = new Reader();
  for (const message of messages) reader.read(message);
  return reader.result();
}

class Reader {
  #table: Omit<TableDefinition, "sets" | "chains"> | undefined;
  readonly #chains = new Map<string, ChainDefinition>();
  readonly #sets = new Map<number, SeenSet>();

  read(message: NetlinkMessage): void {
    const name = messageName(message.type);
    if (name === undefined) return; // the ends of a batch
    const { header, attributes } = splitHeader(message);
    const family = familyFromNumber(header.family);
    switch (name) {
      case "NFT_MSG_NEWTABLE": {
        const { table, flags, comment } = tableFromWire(family, tableAttributes.read(attributes));
        this.#table = { family, table, ...compact({ flags, comment }) };
        break;
      }
      case "NFT_MSG_NEWCHAIN": {
        const { chain, hook, comment } = chainFromWire(family, chainAttributes.read(attributes));
        this.#chains.set(chain, { rules: [], ...compact({ hook, comment }) });
        break;
      }
      case "NFT_MSG_NEWSET": {
        const wire = setAttributes.read(attributes);
        const { set, type, anonymous } = setFromWire(family, wire);
        this.#sets.set(wire.id ?? 0, { name: set, type, anonymous, wires: [] });
        break;
      }
      case "NFT_MSG_NEWSETELEM":
        this.#readElements(attributes);
        break;
      case "NFT_MSG_NEWRULE":
        this.#readRule(family, attributes);
        break;
      default:
        throw new Error(`unexpected ${name}`);
    }
  }

  #readElements(attributes: Buffer): void {
    const wire = elementListAttributes.read(attributes);
    const found =
      wire.setId === undefined
        ? [...this.#sets.values()].find(({ name }) => name === wire.set)
        : this.#sets.get(wire.setId);
    found?.wires.push(...(wire.elements ?? []));
  }

  #readRule(family: TableFamily, attributes: Buffer): void {
    const { chain, expressions, comment } = ruleFromWire(family, ruleAttributes.read(attributes));
    const steps = expressions.map((expression): RuleStep => {
      if (expression.kind === "dynset") {
        const { setId: _, ...rest } = expression;
        return rest;
      }
      if (expression.kind !== "lookup") return expression;
      const { setId, set, ...lookup } = expression;
      const seen = setId === undefined ? undefined : this.#sets.get(setId);
      if (seen === undefined || !seen.anonymous) return { ...lookup, set };
      const { key, data, interval } = seen.type;
      const type = { key, ...compact({ data, interval }) };
      const elements = sortElements(type, elementsFromWire(type, seen.wires));
      return { ...lookup, kind: "lookup-anonymous", type, elements };
    });
    const before = this.#chains.get(chain) ?? { rules: [] };
    this.#chains.set(chain, { ...before, rules: [...before.rules, { steps, ...compact({ comment }) }] });
  }

  result(): Understood {
    if (this.#table === undefined) throw new Error("no table");
    const named = [...this.#sets.values()].filter(({ anonymous }) => !anonymous);
    return {
      definition: {
        ...this.#table,
        sets: Object.fromEntries(named.map(({ name, type }) => [name, type])),
        chains: Object.fromEntries(this.#chains),
      },
      elements: Object.fromEntries(
        named
          .filter(({ wires }) => wires.length > 0)
          .map(({ name, type, wires }) => [name, sortElements(type, elementsFromWire(type, wires))]),
      ),
    };
  }
}
