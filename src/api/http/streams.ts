import type { ServerResponse } from "node:http";
import { jsonText } from "./json-text.ts";

/** Pieces of a list are of about so many characters. */
const pieceLength = 65_536;

/** Sends `items` as a JSON array, in pieces, no faster than the client reads. Ends early when it goes away. */
export async function sendList(outgoing: ServerResponse, items: readonly unknown[]): Promise<void> {
  outgoing.writeHead(200, { "Content-Type": "application/json" });
  let piece = "[";
  for (const [index, item] of items.entries()) {
    piece += index === 0 ? jsonText(item) : `,${jsonText(item)}`;
    if (piece.length < pieceLength) continue;
    if (!(await send(outgoing, piece))) return;
    piece = "";
  }
  outgoing.end(`${piece}]`);
}

/** A stream whose first item is there, or is late; it refuses nothing any more. */
export interface BegunStream<T> {
  /** The rest, the first item included. */
  readonly items: AsyncIterable<T>;
}

/**
 * Asks `source` for its first item and waits for it up to `ms`, so that what it refuses is thrown here, while
 * the answer's head is still to be sent.
 */
export async function begin<T>(source: AsyncIterable<T>, ms: number): Promise<BegunStream<T>> {
  const iterator = source[Symbol.asyncIterator]();
  const first = iterator.next();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await Promise.race([first, late]);
  } finally {
    clearTimeout(timer);
  }
  return { items: { [Symbol.asyncIterator]: () => continued(iterator, first) } };
}

async function* continued<T>(
  iterator: AsyncIterator<T, unknown>,
  first: Promise<IteratorResult<T, unknown>>,
): AsyncGenerator<T> {
  try {
    for (let next = await first; next.done !== true; next = await iterator.next()) yield next.value;
  } finally {
    await iterator.return?.();
  }
}

/**
 * Sends items as lines of JSON as they come; an empty line when there was nothing for `heartbeatMs`. The
 * answer is left open: only who knows why the stream ended can say whether that was its end.
 */
export async function sendLines(
  outgoing: ServerResponse,
  { items }: BegunStream<unknown>,
  heartbeatMs: number,
): Promise<void> {
  outgoing.writeHead(200, { "Content-Type": "application/x-ndjson" });
  outgoing.flushHeaders();
  const heart = setInterval(() => {
    if (!outgoing.writableNeedDrain) outgoing.write("\n");
  }, heartbeatMs);
  try {
    for await (const item of items) {
      if (!(await send(outgoing, `${jsonText(item)}\n`))) return;
      heart.refresh();
    }
  } finally {
    clearInterval(heart);
  }
}

/** Sends bytes as they come. The answer is left open. */
export async function sendBytes(
  outgoing: ServerResponse,
  { items }: BegunStream<Uint8Array>,
  contentType: string,
): Promise<void> {
  outgoing.writeHead(200, { "Content-Type": contentType });
  outgoing.flushHeaders();
  for await (const chunk of items) if (!(await send(outgoing, chunk))) return;
}

/** Resolves when more may be sent: true, or false when the client is gone. */
function send(outgoing: ServerResponse, data: string | Uint8Array): boolean | Promise<boolean> {
  if (outgoing.destroyed) return false;
  if (outgoing.write(data)) return true;
  return new Promise((resolve) => {
    const settle = () => {
      outgoing.off("drain", settle).off("close", settle);
      resolve(!outgoing.destroyed);
    };
    outgoing.on("drain", settle).on("close", settle);
  });
}
