export type {
  CommandInit,
  CommandUser,
  ExitStatus,
  InputInit,
  OutputInit,
  SandboxFile,
  StdioInit,
} from "./command.ts";
export { endProcess } from "./end-process.ts";
export { Launcher } from "./launcher.ts";
export type { ProcessIdentity } from "./process-identity.ts";
export type { SandboxProcess } from "./sandbox-process.ts";
