import { WeftError } from "../../core/index.ts";

/** Bytes from another node that cannot be read. */
export class MalformedMessage extends WeftError {
  /** At least how many bytes more it has, when it is right as far as it goes; else 0. */
  readonly missing: number;

  constructor(message: string, missing = 0) {
    super("GOSSIP_MALFORMED", message);
    this.missing = missing;
  }

  get truncated(): boolean {
    return this.missing > 0;
  }
}

/** The bytes ended inside of something that has at least `missing` more. */
export function truncated(missing: number): MalformedMessage {
  return new MalformedMessage(`gossip message ends ${missing} bytes too early`, missing);
}
