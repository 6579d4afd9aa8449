export type { EventQuery, HostService, LogQuery } from "./host-service.ts";
export { type Dispatched, dispatch } from "./http/dispatch.ts";
export type { HttpLog } from "./http/http-log.ts";
export { defaultLimits, type HttpLimits } from "./http/limits.ts";
export { openApi } from "./http/routes/index.ts";
export { type HttpOptions, type HttpServer, serveHttp } from "./http/serve-http.ts";
export * from "./schema/index.ts";
