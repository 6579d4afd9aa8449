import type { Family, Id } from "../core/index.ts";
import { followFactsOf } from "./changed-facts.ts";
import { guardOf, probedLink, withUnheldAddresses } from "./conflict-probe.ts";
import { attachmentsOf, type Context, networkOf } from "./context.ts";
import { writeEndpoint } from "./endpoint-addresses.ts";
import {
  allocateEndpoint,
  completeEndpoint,
  type EndpointOptions,
  giveUpEndpoint,
  refuseConfigOnly,
} from "./endpoint-operations.ts";
import { linkLocalAddresses } from "./endpoint-options.ts";
import {
  attach,
  checkJoin,
  type JoinOptions,
  locked,
  otherJoins,
  sandboxOf,
  type WriteJoined,
  withName,
} from "./join-operations.ts";
import type { EndpointRecord, NetworkRecord, SandboxRecord } from "./records.ts";

/** An endpoint to be made, and the sandbox that it is to be in. */
export interface Connection {
  readonly network: Id;
  readonly sandbox: Id;
  /** The endpoint's. */
  readonly name: string;
  readonly options: EndpointOptions & JoinOptions;
  /** Whether the sandbox is made with the endpoint: then its record is written in the same commit. */
  readonly sandboxIs?: "there" | "made with it";
}

/** The network and the sandbox as they are now, and how the sandbox is joined. */
interface Ends {
  readonly network: NetworkRecord;
  readonly sandbox: SandboxRecord;
  readonly join: JoinOptions;
}

/**
 * Makes an endpoint and puts it into a sandbox, in one commit; what `docker network connect` does. On a network
 * that is on a wire others are asked for its addresses first; nothing is locked meanwhile, so that all who connect
 * at once wait for the same time. Throws as {@link createEndpoint} and {@link joinSandbox} do; then there is no
 * endpoint.
 */
export async function connectSandbox(context: Context, connection: Connection): Promise<EndpointRecord> {
  const { name, options } = connection;
  const following = followFactsOf(context, connection.network);
  if (following !== undefined) await following;
  const begun = await locked(context, connection.network, connection.sandbox, async () => {
    const ends = checkedEnds(context, connection);
    const link = probedLink(context, ends.network);
    const allocated = await allocateEndpoint(context, ends.network, name, options);
    if (link === undefined) return { joined: await finish(context, connection, ends, allocated) };
    return { allocated, link, network: ends.network };
  });
  if ("joined" in begun) return begun.joined;
  const { network, link } = begun;
  let { allocated } = begun;
  const orGiveUp = async <T>(work: () => T | Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      await giveUpEndpoint(context, network, allocated);
      throw error;
    }
  };
  allocated = await orGiveUp(() =>
    withUnheldAddresses(context, {
      network,
      link,
      endpoint: allocated,
      chosen: choices(options),
      signal: options.signal,
    }),
  );
  const guard = await orGiveUp(() => guardOf(context, link, allocated));
  try {
    return await locked(context, connection.network, connection.sandbox, async () => {
      const ends = await orGiveUp(() => {
        guard.check();
        linkLocalAddresses(context.tables, network, options.linkLocalAddresses ?? []); // others went on meanwhile
        return checkedEnds(context, connection);
      });
      return finish(context, connection, ends, allocated);
    });
  } finally {
    guard.end();
  }
}

/** Throws NETWORK_NOT_FOUND, SANDBOX_NOT_FOUND, NETWORK_CONFIG and as {@link checkJoin}. */
function checkedEnds(context: Context, connection: Connection): Ends {
  const { options } = connection;
  const network = networkOf(context, connection.network);
  const sandbox = sandboxOf(context, connection.sandbox);
  refuseConfigOnly(network);
  const join = withName(options, options.options ?? {});
  checkJoin(context, network, sandbox, otherJoins(context, sandbox), join);
  return { network, sandbox, join };
}

/** Makes the endpoint that was allocated, and joins; when it rejects, all of it was given back. Both locks are held. */
async function finish(
  context: Context,
  { options, sandboxIs }: Connection,
  { network, sandbox, join }: Ends,
  allocated: EndpointRecord,
): Promise<EndpointRecord> {
  const { record, giveUp } = await completeEndpoint(context, network, allocated, options.signal);
  try {
    const isNew = sandboxIs === "made with it";
    const write: WriteJoined = (transaction, joined, bound) => {
      if (isNew || bound !== sandbox) context.tables.sandboxes.put(transaction, bound);
      writeEndpoint(context, transaction, network, joined);
    };
    const first = isNew && attachmentsOf(context, sandbox.id).length === 0;
    return await attach(context, network, record, sandbox, join, write, first);
  } catch (error) {
    await giveUp();
    throw error;
  }
}

/** The families for which nobody asked for an address, so that any will do. */
function choices({ ipv4Address, ipv6Address }: EndpointOptions): readonly Family[] {
  const families: Family[] = [];
  if (ipv4Address === undefined) families.push(4);
  if (ipv6Address === undefined) families.push(6);
  return families;
}
