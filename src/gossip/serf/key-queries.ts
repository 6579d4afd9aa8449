import { isWeftError, messageOf } from "../../core/index.ts";
import type { Keyring } from "../wire/index.ts";
import { decodeKeyRequest, encodeKeyResponse, type KeyResponse } from "./serf-messages.ts";

/** What Serf's nodes are asked about keys, by the names of the queries (gossip.md B.5). */
export const keyQueries = {
  install: "_serf_install-key",
  use: "_serf_use-key",
  remove: "_serf_remove-key",
  list: "_serf_list-keys",
} as const;

/** What is done with keys. */
export type KeyOperation = keyof typeof keyQueries;

/** Serf's limit of an answer, bytes, less what surrounds the list. */
const maxAnswer = 900;

/** The operation that a query's name asks for. */
export function keyOperationOf(name: string): KeyOperation | undefined {
  for (const operation of ["install", "use", "remove", "list"] as const)
    if (keyQueries[operation] === name) return operation;
  return undefined;
}

/** Does what a query about keys asks for, and gives the answer's payload. */
export function answerKeyQuery(
  operation: KeyOperation,
  payload: Uint8Array,
  keyring: Keyring | undefined,
): Buffer {
  if (keyring === undefined)
    return encodeKeyResponse(refusal("No keyring to modify (encryption not enabled)"));
  if (operation === "list") return listKeys(keyring);
  try {
    keyring[operation](decodeKeyRequest(payload));
    return encodeKeyResponse({ ok: true, message: "", keys: [], primary: "" });
  } catch (error) {
    if (!isWeftError(error)) throw error;
    return encodeKeyResponse(refusal(messageOf(error)));
  }
}

/** As many keys as an answer has room for, and what is missing. */
function listKeys(keyring: Keyring): Buffer {
  const all = keyring.keys.map((key) => Buffer.from(key).toString("base64"));
  const primary = all[0] ?? "";
  for (let count = all.length; ; count--) {
    const message = count === all.length ? "" : `truncated: ${count} of ${all.length} keys are shown`;
    const answer = encodeKeyResponse({ ok: true, message, keys: all.slice(0, count), primary });
    if (answer.length <= maxAnswer || count === 0) return answer;
  }
}

function refusal(message: string): KeyResponse {
  return { ok: false, message, keys: [], primary: "" };
}
