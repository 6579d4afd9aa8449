import os from "node:os";
import type { InitOrder } from "./init-protocol.ts";

/** Where programs are looked for when the environment has no PATH: Docker's. */
export const usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** A command's environment; this process must be in the command's UTS namespace. */
export function commandEnvironment(
  { environment, terminalType }: InitOrder,
  home: string,
): ReadonlyMap<string, string> {
  const variables = new Map([
    ["PATH", usualPath],
    ["HOSTNAME", os.hostname()],
  ]);
  if (terminalType !== undefined) variables.set("TERM", terminalType);
  variables.set("HOME", home);
  for (const [name, value] of environment) {
    if (value === null) variables.delete(name);
    else variables.set(name, value);
  }
  return variables;
}
