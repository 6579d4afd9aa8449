import type { Controller } from "../cnm/index.ts";
import type { Figure } from "./metrics.ts";

/** Figures of the model's parts for the metrics: what is counted there, since the daemon was started. */
export async function figuresOf(controller: Controller): Promise<readonly Figure[]> {
  const { operations, running, background, kernel, repairs, ports, dns } = await controller.stats();
  const { proxies } = ports;
  return [
    counter("repairs_total", "How often the host had to be put right by itself.", repairs.repairs),
    counter(
      "repaired_objects_total",
      "Things that were put right by itself, in all.",
      repairs.repairedObjects,
    ),
    ...Object.entries(operations).flatMap(([verb, { count, failures, totalMs }]) => [
      counter("model_operations_total", "What was asked of the model, by verb.", count, { verb }),
      counter("model_failures_total", "Of these, those that were refused or failed.", failures, { verb }),
      counter("model_seconds_total", "How long they took, in all.", totalMs / 1000, { verb }),
    ]),
    gauge("model_running", "Operations of the model that are not answered yet.", running),
    gauge(
      "model_background",
      "Deletions and the like that go on after their callers were answered.",
      background,
    ),
    counter(
      "kernel_batches_total",
      "Batches of changes that the kernel was asked for.",
      kernel.batches.count,
    ),
    counter("kernel_batch_seconds_total", "How long they took, in all.", kernel.batches.totalMs / 1000),
    counter("kernel_changes_total", "The changes in them.", kernel.changes),
    counter("kernel_refused_total", "Of these, those that the kernel refused.", kernel.refused),
    counter("kernel_readings_total", "Readings of what the kernel holds.", kernel.readings.count),
    counter("kernel_effects_total", "Announcements, and flows forgotten.", kernel.effects),
    gauge("ports_published", "Ports of the host that are reserved.", ports.published),
    gauge("ports_lost", "Ports of sandboxes that other programs have taken.", ports.lost),
    ...(proxies === undefined
      ? []
      : [
          gauge("proxy_connections", "TCP connections that are proxied now.", proxies.openConnections),
          gauge("proxy_sessions", "UDP sessions that are proxied now.", proxies.openSessions),
          counter("proxy_bytes_total", "Bytes passed on.", proxies.counters.bytesIn, { direction: "in" }),
          counter("proxy_bytes_total", "Bytes passed on.", proxies.counters.bytesOut, { direction: "out" }),
          counter(
            "proxy_failures_total",
            "Connections and sessions whose target refused or was not reached.",
            proxies.counters.connectionFailures + proxies.counters.sessionFailures,
          ),
        ]),
    ...(dns === undefined
      ? []
      : [
          counter("dns_messages_total", "Messages to the resolvers.", dns.counters.udpMessages, {
            transport: "udp",
          }),
          counter("dns_messages_total", "Messages to the resolvers.", dns.counters.tcpMessages, {
            transport: "tcp",
          }),
          counter("dns_dropped_total", "Messages left unanswered.", dns.counters.dropped),
          ...dns.counters.replies.flatMap((count, code) =>
            count === 0
              ? []
              : [counter("dns_replies_total", "Answers, by response code.", count, { rcode: String(code) })],
          ),
        ]),
  ];
}

type Labels = Readonly<Record<string, string>>;

function counter(name: string, help: string, value: number, labels: Labels = {}): Figure {
  return { name, help, counter: true, value, labels };
}

function gauge(name: string, help: string, value: number): Figure {
  return { name, help, counter: false, value };
}
