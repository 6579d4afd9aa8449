export { startFailureNumber } from "../core/index.ts";
export { defaultCapabilities } from "./capabilities.ts";
export type {
  CapabilityInit,
  CommandInit,
  CommandUser,
  ExecInit,
  ExitStatus,
  InputInit,
  OutputInit,
  SandboxFile,
  StdioInit,
  TerminalInit,
} from "./command.ts";
export { type Adoption, CommandFollower, type FollowerOptions } from "./command-follower.ts";
export { endProcess } from "./end-process.ts";
export { exitNumber } from "./exit-status.ts";
export { checkCommandInit } from "./init-order.ts";
export { Launcher } from "./launcher.ts";
export { LogKeeper } from "./log-keeper.ts";
export { type ReadLogOptions, readLog } from "./log-reader.ts";
export type { ProcessIdentity } from "./process-identity.ts";
export type { EndOptions, RunningCommand } from "./running-command.ts";
export type { SandboxProcess } from "./sandbox-process.ts";
export { type Attachment, SharedTerminal } from "./shared-terminal.ts";
export { parseSignal } from "./signals.ts";
export { openInput } from "./stdio.ts";
export { Terminal } from "./terminal.ts";
