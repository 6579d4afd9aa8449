import type { Controller, NetworkOptions } from "../../src/cnm/index.ts";

/** Something that is refused: what it is, how it is asked for, and the error's code and words. */
export type Refused = readonly [
  what: string,
  attempt: (controller: Controller) => Promise<unknown>,
  code: string,
  words: RegExp,
];

/** A network's options with these subnets. */
export const subnets = (
  ...list: NonNullable<NonNullable<NetworkOptions["ipam"]>["subnets"]>
): NetworkOptions => ({
  ipam: { subnets: list },
});
/** A network's options with one driver option. */
export const options = (name: string, value: string): NetworkOptions => ({ options: { [name]: value } });
/** Asks for a bridge network. */
export const bridge =
  (name: string, more: NetworkOptions = {}) =>
  (controller: Controller) =>
    controller.createNetwork("bridge", name, more);

/** The option that names a bridge. */
export const bridgeName = "com.docker.network.bridge.name";
/** A name of 300 bytes. */
export const longName = "x".repeat(300);
