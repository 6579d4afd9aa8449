import { z } from "zod";
import {
  DriftItem,
  Event,
  Finding,
  Info,
  Plan,
  PlanRequest,
  RepairReport,
  Version,
} from "../../schema/index.ts";
import { metricsType } from "../metrics-listener.ts";
import { FiltersText } from "../query-words.ts";
import { type AnyRoute, route } from "../route.ts";

const EventWords = z.strictObject({
  since: z.string().optional().meta({
    description:
      "An event's Id, or a time (RFC 3339, or seconds since 1970): those after it. New ones without.",
  }),
  until: z.string().optional().meta({ description: "A time; the stream ends there." }),
  filters: FiltersText,
});

/** The daemon and its host. */
export const hostRoutes: readonly AnyRoute[] = [
  route({
    method: "GET",
    path: "/v1/_ping",
    operation: "ping",
    summary: "Answers OK.",
    answer: { kind: "text", contentType: "text/plain; charset=utf-8" },
    run: () => "OK",
  }),
  route({
    method: "GET",
    path: "/v1/version",
    operation: "version",
    summary: "What answers.",
    answer: { kind: "json", status: 200, schema: Version },
    run: (service) => service.version(),
  }),
  route({
    method: "GET",
    path: "/v1/info",
    operation: "info",
    summary: "The daemon and its host in figures.",
    answer: { kind: "json", status: 200, schema: Info },
    run: (service) => service.info(),
  }),
  route({
    method: "GET",
    path: "/v1/drift",
    operation: "drift",
    summary: "Where the host differs from what it should hold.",
    answer: { kind: "list", item: DriftItem },
    run: (service) => service.drift(),
  }),
  route({
    method: "POST",
    path: "/v1/repair",
    operation: "repair",
    summary: "Makes the host hold again what it should.",
    answer: { kind: "json", status: 200, schema: RepairReport },
    run: (service) => service.repair(),
  }),
  route({
    method: "GET",
    path: "/v1/doctor",
    operation: "doctor",
    summary: "What this kernel and host offer, what is missing, and what to do about it.",
    answer: { kind: "list", item: Finding },
    run: (service) => service.doctor(),
  }),
  route({
    method: "POST",
    path: "/v1/plan",
    operation: "plan",
    summary: "What a request would change in the kernel; nothing is done.",
    body: PlanRequest,
    answer: { kind: "json", status: 200, schema: Plan },
    notPlanned: true,
    run: (service, { body }) => service.plan(body),
  }),
  route({
    method: "GET",
    path: "/v1/events",
    operation: "events",
    summary: "What happens, as it happens. Resume with the last event's Id as `since`.",
    query: EventWords,
    answer: { kind: "lines", item: Event },
    run: (service, { query, signal }) => service.events({ ...query, signal }),
  }),
  route({
    method: "GET",
    path: "/v1/store/backup",
    operation: "backup",
    summary: "A copy of the store as it is at one moment.",
    answer: { kind: "bytes", contentType: "application/octet-stream" },
    run: (service, { signal }) => service.backup(signal),
  }),
  route({
    method: "GET",
    path: "/metrics",
    operation: "metrics",
    summary: "Metrics in Prometheus' text format.",
    answer: { kind: "text", contentType: metricsType },
    run: (service) => service.metrics(),
  }),
];
