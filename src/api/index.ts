export type { EventQuery, HostService, LogQuery } from "./host-service.ts";
export * from "./schema/index.ts";
