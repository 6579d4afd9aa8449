import { type ChainName, chainAttributes, policyNumber } from "./chain.ts";
import { type Change, type CreateOptions, createFlags, type DeleteOptions } from "./change.ts";
import { type ChainHook, hookToWire } from "./hook.ts";
import { request } from "./protocol.ts";
import { flagBits } from "./symbols.ts";
import { describe, type TableFlag, type TableName, tableAttributes, tableFlags } from "./table.ts";
import { commentUserdata } from "./userdata.ts";

/** A table to be made. */
export interface NewTable extends TableName {
  readonly flags?: readonly TableFlag[];
  readonly comment?: string;
}

/** A chain to be made. */
export interface NewChain extends ChainName {
  readonly hook?: ChainHook;
  readonly comment?: string;
}

const describeChain = (name: ChainName) => describe("chain", name, name.chain);

/** Makes a table. */
export function addTable(table: NewTable, options?: CreateOptions): readonly Change[] {
  return [
    request({
      call: "NFT_MSG_NEWTABLE",
      family: table.family,
      flags: createFlags(options),
      object: describe("table", table),
      codec: tableAttributes,
      value: {
        name: table.table,
        flags: flagBits(tableFlags, table.flags),
        userdata: commentUserdata(table.comment),
      },
    }),
  ];
}

/** Deletes a table and all that it holds. */
export function deleteTable(name: TableName, options?: DeleteOptions): readonly Change[] {
  return [
    request({
      call: options?.ifExists ? "NFT_MSG_DESTROYTABLE" : "NFT_MSG_DELTABLE",
      family: name.family,
      object: describe("table", name),
      codec: tableAttributes,
      value: { name: name.table },
    }),
  ];
}

/** Makes a chain. Throws RangeError for a hook that the family does not have. */
export function addChain(chain: NewChain, options?: CreateOptions): readonly Change[] {
  const { hook } = chain;
  return [
    request({
      call: "NFT_MSG_NEWCHAIN",
      family: chain.family,
      flags: createFlags(options),
      object: describeChain(chain),
      codec: chainAttributes,
      value: {
        table: chain.table,
        name: chain.chain,
        hook: hook && hookToWire(chain.family, hook),
        policy: hook && policyNumber(hook.policy),
        type: hook?.type,
        userdata: commentUserdata(chain.comment),
      },
    }),
  ];
}

/** Deletes a chain and its rules. EBUSY while a jump leads to it. */
export function deleteChain(name: ChainName, options?: DeleteOptions): readonly Change[] {
  return [
    request({
      call: options?.ifExists ? "NFT_MSG_DESTROYCHAIN" : "NFT_MSG_DELCHAIN",
      family: name.family,
      object: describeChain(name),
      codec: chainAttributes,
      value: { table: name.table, name: name.chain },
    }),
  ];
}
