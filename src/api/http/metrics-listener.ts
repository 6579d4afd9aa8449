import type http from "node:http";
import { WeftError } from "../../core/index.ts";
import type { HostService } from "../host-service.ts";
import type { HttpLog } from "./http-log.ts";
import { jsonText } from "./json-text.ts";
import { errorBody, statusOf } from "./refusal.ts";

/** Prometheus' text format, version 0.0.4. */
export const metricsType = "text/plain; version=0.0.4; charset=utf-8";

/** Answers GET /metrics on `server`, and nothing else: whoever reaches a TCP port need not be root. */
export function answerMetrics(server: http.Server, service: HostService, log: HttpLog): void {
  server.on("request", (incoming, outgoing) => {
    answer(incoming, outgoing, service).catch((error: unknown) => {
      const status = statusOf(error);
      if (status >= 500) log.error({ err: error, path: incoming.url, status }, "metrics failed");
      outgoing.writeHead(status, { "Content-Type": "application/json", Connection: "close" });
      outgoing.end(jsonText(errorBody(error)));
    });
  });
}

async function answer(
  { method = "", url = "" }: http.IncomingMessage,
  outgoing: http.ServerResponse,
  service: HostService,
): Promise<void> {
  const [path] = url.split("?", 1);
  if (path !== "/metrics")
    throw new WeftError("ROUTE_NOT_FOUND", `no such path ${JSON.stringify(path)}: there is /metrics here`);
  if (method !== "GET" && method !== "HEAD")
    throw new WeftError("METHOD_NOT_ALLOWED", `/metrics cannot be asked for with ${method}: it takes GET`);
  const text = await service.metrics();
  outgoing.writeHead(200, { "Content-Type": metricsType, "Content-Length": Buffer.byteLength(text) });
  outgoing.end(text);
}
