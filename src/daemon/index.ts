export { type DaemonConfig, readConfig } from "./config.ts";
export { defaultRoot, defaultRun, type Folders, socketPath } from "./folders.ts";
export { type DaemonOptions, purgeHost, runDaemon } from "./run-daemon.ts";
export { checkStore, restoreStore } from "./stored-host.ts";
export { checkConfig, examineHost } from "./without-daemon.ts";
