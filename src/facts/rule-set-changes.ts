import { isNftFamily, tableName } from "../kernel/index.ts";
import { type NetlinkMessage, nftables } from "../kernel/netlink/index.ts";

/** A transaction by which somebody else changed the rule set. */
export interface ForeignRules {
  readonly change: "rules";
  /** Each table that it touched, once. */
  readonly tables: readonly nftables.TableName[];
  /** One of them is weft's own. */
  readonly ours: boolean;
  /** It changed tables, chains or rules of others, not only what their sets hold. */
  readonly chains: boolean;
  /** The name of the thread that did it, at most 15 bytes. */
  readonly program: string;
}

/** Puts together what the messages of each generation say. */
export class RuleSetChanges {
  #tables = new Map<string, nftables.TableName>();
  #ours = false;
  #chains = false;

  /** The changes that these messages complete; of the last one the rest may come with the next messages. */
  from(messages: readonly NetlinkMessage[]): readonly ForeignRules[] {
    const changes: ForeignRules[] = [];
    for (const message of messages) {
      const touched = nftables.notifiedTable(message);
      if (touched !== undefined) {
        this.#note(touched);
        continue;
      }
      const end = nftables.decodeNotification(message);
      if (end?.event === "generation") changes.push(...this.#finish(end.generation.process));
    }
    return changes;
  }

  /** Forgets a transaction of which only a part was told. */
  reset(): void {
    this.#tables = new Map();
    this.#ours = false;
    this.#chains = false;
  }

  #note({ family, table, what }: nftables.TouchedTable): void {
    this.#tables.set(`${family} ${table}`, { family, table });
    if (table === tableName && isNftFamily(family)) this.#ours = true;
    else if (what === "table" || what === "chain" || what === "rule") this.#chains = true;
  }

  #finish(program: string): readonly ForeignRules[] {
    const tables = [...this.#tables.values()];
    const change = { change: "rules", tables, ours: this.#ours, chains: this.#chains, program } as const;
    this.reset();
    return tables.length === 0 ? [] : [change];
  }
}
