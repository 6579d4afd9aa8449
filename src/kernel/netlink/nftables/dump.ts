import type { NetlinkMessage } from "../message.ts";
import { splitHeader } from "../nfnetlink.ts";
import type { NetlinkSocket } from "../socket.ts";
import { type Chain, chainAttributes, chainFromWire } from "./chain.ts";
import { elementsFromWire, type SetElement } from "./element.ts";
import { elementListAttributes } from "./element-changes.ts";
import { familyFromNumber, type TableFamily } from "./family.ts";
import { request } from "./protocol.ts";
import { type Rule, ruleAttributes, ruleFromWire } from "./rule.ts";
import { type NftSet, type SetName, setAttributes, setFromWire } from "./set.ts";
import type { SetType } from "./set-type.ts";
import { describe, type Table, type TableName, tableAttributes, tableFromWire } from "./table.ts";

/** Splits a dumped message into family and attributes. */
function opened<T>(message: NetlinkMessage, read: (family: TableFamily, attributes: Buffer) => T): T {
  const { header, attributes } = splitHeader(message);
  return read(familyFromNumber(header.family), attributes);
}

/** All tables, or those of one family. Throws KernelError. */
export function listTables(socket: NetlinkSocket, family?: TableFamily): readonly Table[] {
  const call = request({
    call: "NFT_MSG_GETTABLE",
    family,
    object: "tables",
    codec: tableAttributes,
    value: {},
  });
  return socket.dump(call, (message) =>
    opened(message, (found, bytes) => tableFromWire(found, tableAttributes.read(bytes))),
  );
}

/** All chains of a table. A table that is not there has none. Throws KernelError. */
export function listChains(socket: NetlinkSocket, name: TableName): readonly Chain[] {
  const call = request({
    call: "NFT_MSG_GETCHAIN",
    family: name.family,
    object: describe("chains of table", name),
    codec: chainAttributes,
    value: { table: name.table },
  });
  // The kernel gives the chains of all tables of the family.
  return socket.dump(call, (message) =>
    opened(message, (family, bytes) => {
      const wire = chainAttributes.read(bytes);
      return wire.table === name.table ? chainFromWire(family, wire) : undefined;
    }),
  );
}

/** The chains of all tables, but for those of a family or hook that is newer than this library. Throws KernelError. */
export function listAllChains(socket: NetlinkSocket): readonly Chain[] {
  const call = request({ call: "NFT_MSG_GETCHAIN", object: "chains", codec: chainAttributes, value: {} });
  return socket.dump(call, (message) => {
    try {
      return opened(message, (family, bytes) => chainFromWire(family, chainAttributes.read(bytes)));
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  });
}

/**
 * All rules of a table, or of one of its chains, in their order. `maybe` is given a rule's undecoded
 * attributes and may say that it is of no interest, which costs less than decoding it. Throws KernelError.
 */
export function listRules(
  socket: NetlinkSocket,
  name: TableName,
  chain?: string,
  maybe: (attributes: Buffer) => boolean = () => true,
): readonly Rule[] {
  const call = request({
    call: "NFT_MSG_GETRULE",
    family: name.family,
    object: describe("rules of table", name),
    codec: ruleAttributes,
    value: { table: name.table, chain },
  });
  return socket.dump(call, (message) =>
    opened(message, (family, bytes) =>
      maybe(bytes) ? ruleFromWire(family, ruleAttributes.read(bytes)) : undefined,
    ),
  );
}

/** All sets and maps of a table, anonymous ones too. ENOENT when the table is not there. Throws KernelError. */
export function listSets(socket: NetlinkSocket, name: TableName): readonly NftSet[] {
  const call = request({
    call: "NFT_MSG_GETSET",
    family: name.family,
    object: describe("sets of table", name),
    codec: setAttributes,
    value: { table: name.table },
  });
  return socket.dump(call, (message) =>
    opened(message, (family, bytes) => setFromWire(family, setAttributes.read(bytes))),
  );
}

/**
 * All elements of a set of a known type, in no order. ENOENT when the set is not there. Throws
 * KernelError, and RangeError when the type is not that of the set.
 */
export function listElements(socket: NetlinkSocket, name: SetName, type: SetType): readonly SetElement[] {
  const call = request({
    call: "NFT_MSG_GETSETELEM",
    family: name.family,
    object: describe("elements of set", name, name.set),
    codec: elementListAttributes,
    value: { table: name.table, set: name.set },
  });
  const found = socket.dump(call, (message) => {
    const { attributes } = splitHeader(message);
    return elementListAttributes.read(attributes).elements ?? [];
  });
  return elementsFromWire(type, found.flat());
}
