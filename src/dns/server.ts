import { messageOf, WeftError } from "../core/index.ts";
import type { DnsCounters } from "./counters.ts";
import type { Listener } from "./listener.ts";
import type { Respond } from "./responder.ts";
import { type ConnectionPlaces, defaultTcpLimits, type TcpLimits } from "./tcp-connection.ts";
import { listenTcp } from "./tcp-listener.ts";
import { type StartTimer, systemTimer } from "./timers.ts";
import { listenUdp } from "./udp-listener.ts";

/**
 * Descriptors of two IPv4 sockets that are bound, usually inside another network namespace. Their
 * ports may differ.
 */
export interface ServerFds {
  readonly udpFd: number;
  readonly tcpFd: number;
}

/** What a server works with. */
export interface ServerInit extends ServerFds {
  readonly respond: Respond;
  readonly counters: DnsCounters;
  /** {@link defaultTcpLimits} when absent. */
  readonly limits?: TcpLimits;
  /** For TCP connections; as many as the limits allow when absent. */
  readonly places?: ConnectionPlaces;
  /** The machine's timers when absent. */
  readonly startTimer?: StartTimer;
}

const unlimited: ConnectionPlaces = { take: () => true, give: () => {} };

/**
 * Serves DNS over both sockets. The descriptors belong to the server from now on: they are closed by
 * {@link Listener.close}, and before this rejects, with KERNEL, if one of them cannot be listened on.
 */
export async function serveDns(init: ServerInit): Promise<Listener> {
  const { udpFd, tcpFd, respond, counters } = init;
  const limits = init.limits ?? defaultTcpLimits;
  const startTimer = init.startTimer ?? systemTimer;
  const places = init.places ?? unlimited;
  // Both at once, so that no descriptor is without an owner for even a turn of the event loop.
  const [udp, tcp] = await Promise.allSettled([
    listenUdp(udpFd, respond, counters),
    listenTcp(tcpFd, { respond, counters, limits, startTimer, places }),
  ]);
  const close = async () => {
    await Promise.all(
      [udp, tcp].map((half) => (half.status === "fulfilled" ? half.value.close() : undefined)),
    );
  };
  if (udp.status === "fulfilled" && tcp.status === "fulfilled") return { close };
  await close();
  if (udp.status === "rejected") throw cannotListen("UDP", udpFd, udp.reason);
  throw cannotListen("TCP", tcpFd, tcp.status === "rejected" ? tcp.reason : undefined);
}

function cannotListen(protocol: string, fd: number, cause: unknown): WeftError {
  return new WeftError(
    "KERNEL",
    `cannot serve DNS over ${protocol} on descriptor ${fd}: ${messageOf(cause)}`,
    {
      cause,
    },
  );
}
