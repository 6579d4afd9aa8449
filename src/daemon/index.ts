export { type DaemonConfig, readConfig } from "./config.ts";
export { defaultRoot, defaultRun, type Folders, refuseOthersFiles, socketPath } from "./folders.ts";
export { type DaemonOptions, purgeHost, runDaemon } from "./run-daemon.ts";
export { checkConfig, checkStore, examineHost, restoreStore, type StoreReport } from "./without-daemon.ts";
