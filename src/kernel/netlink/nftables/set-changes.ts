import { type Change, type CreateOptions, createFlags, type DeleteOptions } from "./change.ts";
import { request } from "./protocol.ts";
import { type SetName, setAttributes, setTypeToWire } from "./set.ts";
import type { SetType } from "./set-type.ts";
import { describe } from "./table.ts";

const describeSet = (name: SetName) => describe("set", name, name.set);

// The kernel wants a number for a set although nothing need use it.
let lastNamedId = 0x8000_0000;

/** The request that makes a set; `id` is how the same batch may speak of it. */
export function setRequest(
  name: SetName,
  type: SetType,
  init: CreateOptions & { readonly id: number; readonly anonymous?: boolean },
): Change {
  return request({
    call: "NFT_MSG_NEWSET",
    family: name.family,
    flags: createFlags(init),
    object: describeSet(name),
    codec: setAttributes,
    value: {
      table: name.table,
      name: name.set,
      id: init.id,
      ...setTypeToWire(type, init.anonymous === true),
    },
  });
}

/**
 * Makes a set or map. EEXIST, also when not exclusive, when one of another type is there. Throws
 * RangeError for a type that cannot be written.
 */
export function addSet(name: SetName, type: SetType, options?: CreateOptions): readonly Change[] {
  lastNamedId = lastNamedId >= 0xffff_ffff ? 0x8000_0000 : lastNamedId + 1;
  return [setRequest(name, type, { ...options, id: lastNamedId })];
}

/** Deletes a set and its elements. EBUSY while a rule looks up in it. */
export function deleteSet(name: SetName, options?: DeleteOptions): readonly Change[] {
  return [
    request({
      call: options?.ifExists ? "NFT_MSG_DESTROYSET" : "NFT_MSG_DELSET",
      family: name.family,
      object: describeSet(name),
      codec: setAttributes,
      value: { table: name.table, name: name.set },
    }),
  ];
}
