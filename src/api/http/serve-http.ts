import { setMaxListeners } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { HostService } from "../host-service.ts";
import { ConnectionGuard } from "./connection-guard.ts";
import type { HttpLog } from "./http-log.ts";
import { defaultLimits, type HttpLimits } from "./limits.ts";
import { answerMetrics } from "./metrics-listener.ts";
import { answerRequests } from "./request-listener.ts";
import { claimSocketPath, listening, listenOnPath } from "./socket-file.ts";

/** Where and how the daemon listens. */
export interface HttpOptions {
  /** The unix socket's path, or the number of one that listens already (as systemd passes it). */
  readonly listen: { readonly socketPath: string } | { readonly fd: number };
  /** Permission bits of the socket's file; 0660 without. */
  readonly mode?: number;
  /** The group that owns the socket's file, if the host has it; `weft` without. */
  readonly group?: string;
  /** Where groups are looked up; /etc/group without. */
  readonly groupFile?: string;
  /** Metrics alone, over TCP, at 127.0.0.1; 0 is any port. Nowhere without. */
  readonly metricsPort?: number | undefined;
  readonly log: HttpLog;
  readonly limits?: Partial<HttpLimits>;
}

/** The daemon's listening socket. */
export interface HttpServer {
  /** Where metrics are served over TCP; undefined when they are not. */
  readonly metricsPort: number | undefined;
  /** Connections that are open. */
  readonly connections: number;
  /**
   * Takes no more requests, removes the socket's file and cuts streams off; resolves when what was begun has
   * been answered, or was not within `graceMs`. `giveUp` is called then, and what it refuses is answered.
   */
  close(graceMs?: number, giveUp?: () => void): Promise<void>;
}

/** How long the answers to what was given up may take, ms. */
const lastAnswersMs = 1000;

/** The kernel cuts it to net.core.somaxconn (4096). */
const backlog = 4096;

/**
 * Serves `service` over HTTP/1.1. The socket of a dead daemon is replaced. Throws SOCKET_IN_USE when another
 * one listens, INVALID_SOCKET_PATH, and what the kernel refuses.
 */
export async function serveHttp(service: HostService, options: HttpOptions): Promise<HttpServer> {
  const { listen, log, mode = 0o660, group = "weft", groupFile = "/etc/group", metricsPort } = options;
  const limits = { ...defaultLimits, ...options.limits };
  if ("socketPath" in listen) await claimSocketPath(listen.socketPath);
  const stop = new AbortController();
  setMaxListeners(0, stop.signal); // one a request that is under way
  const main = newServer(limits, log);
  answerRequests(main.server, { service, limits, log, stop: stop.signal, guard: main.guard });

  let removeFile = () => {};
  let metrics: Listener | undefined;
  try {
    if ("socketPath" in listen)
      removeFile = await listenOnPath(main.server, listen.socketPath, { mode, group, groupFile }, backlog);
    else await listening(main.server, () => main.server.listen({ fd: listen.fd }));
    if (metricsPort !== undefined) metrics = await listenForMetrics(service, metricsPort, limits, log);
  } catch (error) {
    removeFile();
    main.server.close();
    throw error;
  }
  return {
    metricsPort: metrics === undefined ? undefined : (metrics.server.address() as AddressInfo).port, // it listens on TCP
    get connections() {
      return main.guard.open;
    },
    async close(graceMs = 10_000, giveUp) {
      removeFile();
      stop.abort();
      await closeAll(metrics === undefined ? [main] : [main, metrics], graceMs, giveUp);
    },
  };
}

interface Listener {
  readonly server: http.Server;
  readonly guard: ConnectionGuard;
}

function newServer(limits: HttpLimits, log: HttpLog): Listener {
  const server = http.createServer({
    headersTimeout: limits.headersMs,
    requestTimeout: limits.headersMs + limits.bodyMs,
    connectionsCheckingInterval: limits.checkMs,
    requireHostHeader: false,
  });
  return { server, guard: new ConnectionGuard(server, limits, log) };
}

async function listenForMetrics(
  service: HostService,
  port: number,
  limits: HttpLimits,
  log: HttpLog,
): Promise<Listener> {
  const listener = newServer(limits, log);
  const { server } = listener;
  answerMetrics(server, service, log);
  await listening(server, () => server.listen({ port, host: "127.0.0.1" }));
  return listener;
}

async function closeAll(
  listeners: readonly Listener[],
  graceMs: number,
  giveUp: (() => void) | undefined,
): Promise<void> {
  const closed = listeners.map(({ server }) => new Promise<void>((resolve) => server.close(() => resolve())));
  for (const { guard } of listeners) guard.endIdle();
  const patience = new AbortController();
  const wait = (ms: number) => delay(ms, undefined, { signal: patience.signal });
  const late = async () => {
    await wait(graceMs);
    giveUp?.();
    if (giveUp !== undefined) await wait(lastAnswersMs);
    for (const { server } of listeners) server.closeAllConnections();
  };
  const cut = late().catch((error: unknown) => {
    if (!patience.signal.aborted) throw error; // else all were answered in time
  });
  await Promise.all(closed);
  patience.abort();
  await cut;
}
