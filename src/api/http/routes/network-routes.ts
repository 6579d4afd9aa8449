import { z } from "zod";
import {
  Created,
  Network,
  NetworkConnect,
  NetworkCreate,
  NetworkDisconnect,
  PruneReport,
} from "../../schema/index.ts";
import { FiltersText, flag } from "../query-words.ts";
import { type AnyRoute, route } from "../route.ts";

/** Networks, and who is on them. */
export const networkRoutes: readonly AnyRoute[] = [
  route({
    method: "POST",
    path: "/v1/networks",
    operation: "createNetwork",
    summary: "Makes a network.",
    body: NetworkCreate,
    answer: { kind: "json", status: 201, schema: Created },
    run: (service, { body }) => service.createNetwork(body),
  }),
  route({
    method: "GET",
    path: "/v1/networks",
    operation: "networks",
    summary: "Networks in the order in which they were made, without their containers.",
    query: z.strictObject({ filters: FiltersText }),
    answer: { kind: "list", item: Network },
    run: (service, { query }) => service.networks(query.filters),
  }),
  route({
    method: "POST",
    path: "/v1/networks/prune",
    operation: "pruneNetworks",
    summary: "Removes the networks that no sandbox uses.",
    query: z.strictObject({ filters: FiltersText }),
    answer: { kind: "json", status: 200, schema: PruneReport },
    run: (service, { query }) => service.pruneNetworks(query.filters),
  }),
  route({
    method: "GET",
    path: "/v1/networks/{network}",
    operation: "network",
    summary: "One network.",
    query: z.strictObject({
      verbose: flag("With its interface, and how many addresses are in use."),
    }),
    answer: { kind: "json", status: 200, schema: Network },
    run: (service, { reference, query }) => service.network(reference, query),
  }),
  route({
    method: "DELETE",
    path: "/v1/networks/{network}",
    operation: "removeNetwork",
    summary: "Removes a network that no sandbox is on.",
    answer: { kind: "nothing" },
    run: (service, { reference }) => service.removeNetwork(reference),
  }),
  route({
    method: "POST",
    path: "/v1/networks/{network}/connect",
    operation: "connect",
    summary: "Puts a sandbox on a network.",
    body: NetworkConnect,
    answer: { kind: "nothing" },
    run: (service, { reference, body }) => service.connect(reference, body),
  }),
  route({
    method: "POST",
    path: "/v1/networks/{network}/disconnect",
    operation: "disconnect",
    summary: "Takes a sandbox off a network.",
    body: NetworkDisconnect,
    answer: { kind: "nothing" },
    run: (service, { reference, body }) => service.disconnect(reference, body),
  }),
];
