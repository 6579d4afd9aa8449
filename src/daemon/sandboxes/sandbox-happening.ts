import type { SandboxRecord } from "./sandbox-record.ts";

/** What happens to sandboxes, for whoever follows it. */
export interface SandboxHappening {
  readonly action:
    | "create"
    | "start"
    | "die"
    | "kill"
    | "stop"
    | "restart"
    | "destroy"
    | "connect"
    | "disconnect";
  readonly sandbox: Pick<SandboxRecord, "id" | "name">;
  readonly facts?: Readonly<Record<string, string>>;
}
