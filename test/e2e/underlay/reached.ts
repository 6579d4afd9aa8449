import type { Agent } from "../agent.ts";
import type { Protocol } from "../agent-protocol.ts";
import type { PlainAddresses } from "../sandbox-addresses.ts";

/** Tries at a time: all of them keep an emulated machine from answering any in time. */
const atOnce = 32;

const protocols: readonly Protocol[] = ["tcp", "udp", "icmp"];

/** Somebody who can be reached, and asked to reach others. */
export interface Place {
  readonly agent: Agent;
  readonly addresses: PlainAddresses;
}

/** One who tries to reach another, by their names, and whether that is to succeed. */
export type Line<Name extends string> = readonly [from: Name, to: Name, reached: boolean];

/** Tries all lines by every protocol and both families. Gives what came out otherwise than they say. */
export async function surprises<Name extends string>(
  places: Readonly<Record<Name, Place>>,
  lines: readonly Line<Name>[],
  families: readonly (keyof PlainAddresses)[] = ["ipv4", "ipv6"],
): Promise<readonly string[]> {
  const tries = lines.flatMap((line) =>
    families.flatMap((family) => protocols.map((protocol) => ({ line, family, protocol }))),
  );
  const outcome = async ({ line: [from, to, reached], family, protocol }: (typeof tries)[number]) => {
    const words = `${from} to ${to} by ${protocol} over ${family}`;
    const { agent } = places[from];
    const address = places[to].addresses[family];
    if (!reached) return (await agent.unreached(address, protocol)) === undefined ? `${words}: reached` : "";
    return agent.reach(address, protocol).then(
      () => "",
      (error: unknown) => `${words}: ${String(error)}`,
    );
  };
  const outcomes: string[] = [];
  for (let at = 0; at < tries.length; at += atOnce)
    outcomes.push(...(await Promise.all(tries.slice(at, at + atOnce).map(outcome))));
  return outcomes.filter((one) => one !== "");
}
