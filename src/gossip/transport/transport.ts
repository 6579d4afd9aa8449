import type { IpAddress } from "../../core/index.ts";

/** Where a node is reached: one port, UDP and TCP. */
export interface Place {
  readonly address: IpAddress;
  readonly port: number;
}

/** How packets and streams reach other nodes: real sockets, or a network in memory. */
export interface Transport {
  /** Where others reach this node; what they are told. */
  readonly place: Place;
  /** Delivers from now on. */
  start(events: TransportEvents): void;
  /** One datagram, which may be lost; never throws. The transport may keep `packet`. */
  send(to: Place, packet: Buffer): void;
  /** Connects; the answer gives up, also a stream that has opened. How long to wait is the caller's to say. */
  dial(to: Place, outcome: DialOutcome): () => void;
  /** Delivers nothing more, gives up every stream, and resolves when the sockets are closed. */
  close(): Promise<void>;
}

/** What a transport delivers. Neither may throw. */
export interface TransportEvents {
  /** `packet` is valid during the call alone. */
  packet(packet: Buffer, from: Place): void;
  /** Somebody connected. */
  stream(stream: Stream): void;
}

/** What came of connecting: one of them is called, once, and never before `dial` has returned. */
export interface DialOutcome {
  opened(stream: Stream): void;
  failed(why: string): void;
}

/** One connection. */
export interface Stream {
  readonly remote: Place;
  /** Says who hears what comes. To be called at once. */
  listen(events: StreamEvents): void;
  write(bytes: Uint8Array): void;
  /** Closes when what was written is sent. */
  end(): void;
  /** Closes at once. Nothing is delivered after it. */
  destroy(): void;
}

/** What a stream delivers. Neither may throw. */
export interface StreamEvents {
  /** `chunk` is valid during the call alone. */
  data(chunk: Uint8Array): void;
  /** The other side closed, or the connection broke; nothing comes after it. */
  closed(): void;
}

/** ADDRESS:PORT, or [ADDRESS]:PORT. */
export function placeText({ address, port }: Place): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
