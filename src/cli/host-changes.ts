import type { WeftClient } from "../api/client/index.ts";

/** Everything by which commands change what the daemon holds. */
export type HostChanges = Pick<
  WeftClient,
  | "createNetwork"
  | "removeNetwork"
  | "pruneNetworks"
  | "connect"
  | "disconnect"
  | "createSandbox"
  | "removeSandbox"
  | "startSandbox"
  | "stopSandbox"
  | "killSandbox"
  | "restartSandbox"
>;
