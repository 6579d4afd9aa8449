import type { Effect } from "../effects.ts";
import type { EffectOutcome, Found, Kernel, KernelQuery, Operation, Outcome } from "../kernel.ts";
import { isKernelError, KernelError } from "../kernel-error.ts";
import { doomedLinkGroup, linkGroup } from "../marks.ts";
import type { NetlinkRequest } from "../netlink/message.ts";
import { changeLink, deleteLink, deleteLinkGroup } from "../netlink/rtnetlink/index.ts";
import type { NetlinkSocket, RequestOutcome } from "../netlink/socket.ts";
import {
  createNetns,
  isNetns,
  lastingNetnsIdentity,
  netnsIdentity,
  netnsIdentityOfFd,
  openNetns,
  removeNetns,
} from "../netns.ts";
import { hostNetns, type NetnsRef } from "../netns-ref.ts";
import { identityOf, type LinkObject, type NetnsObject } from "../objects.ts";
import * as sys from "../syscalls.ts";
import { isBrokenOff } from "./broken-off.ts";
import { runEffects } from "./effects.ts";
import { asKernelError, removeFile, writeFile, writeSysctl } from "./files.ts";
import { FlowRounds } from "./flow-rounds.ts";
import { commitOperations, type NftOperation } from "./nft-changes.ts";
import { readHost } from "./read.ts";
import { netnsOfRequest, type RouteFamilyOperation, routeRequests } from "./route-requests.ts";
import { closeSockets, closeSocketsSlowly, type NetnsSockets, Session } from "./session.ts";

/** What an object of each kind is written by. */
type Channel = "rtnetlink" | "deleted links" | "nftables" | "one by one";

function channelOf({ op, object }: Operation): Channel {
  switch (object.kind) {
    case "link":
      return op === "delete" && object.spec.type !== "moved" && object.spec.type !== "adopted"
        ? "deleted links"
        : "rtnetlink";
    case "port":
    case "address":
    case "up":
    case "route":
      return "rtnetlink";
    case "nft-table":
    case "nft-element":
    case "accept-rule":
      return "nftables";
    case "netns":
    case "file":
    case "sysctl":
      return "one by one";
  }
}

/** How many pairs of sockets are kept for the host: so much goes on side by side at most times. */
const mostIdle = 3;

/** Published ports take a descriptor each and more, and growing the table for them costs a wait each time it doubles. */
const roomForDescriptors = 8192;

/** What an object that is to be deleted may answer when it is gone already. */
const alreadyGone = ["ENODEV", "ENOENT", "ESRCH", "EADDRNOTAVAIL", "ENOTDIR"];

/**
 * The host's kernel, by netlink and /proc/sys. It works in the namespace at `hostNetns`, whatever
 * namespace the process is in. Requests under which the kernel sleeps run on threads of their own.
 */
export class LinuxKernel implements Kernel {
  readonly #hostFd: number;
  /** Sockets in the host's namespace that no work uses now. */
  readonly #idle: NetnsSockets[] = [];
  /** Deletions under way; they hold the kernel's rtnl lock, which every other request would wait for. */
  #deletions = 0;
  #closed = false;
  readonly #flowRounds = new FlowRounds((effects) =>
    this.#withSession((session) => runEffects(session, effects)),
  );

  /** Opens the host namespace at `path`. Throws KernelError. */
  constructor(path: string) {
    this.#hostFd = openNetns(path);
    void sys.growDescriptorTableSlowly(this.#hostFd, roomForDescriptors);
  }

  async read(query: KernelQuery): Promise<readonly Found[]> {
    return this.#withSession((session) => readHost(session, query));
  }

  apply(operations: readonly Operation[]): Promise<readonly Outcome[]> {
    return this.#withSession(async (session) => {
      const outcomes: Outcome[] = [];
      while (outcomes.length < operations.length && !outcomes.some((outcome) => outcome !== undefined)) {
        const run = nextRun(operations.slice(outcomes.length));
        outcomes.push(...(await this.#applyRun(session, run)));
      }
      while (outcomes.length < operations.length) outcomes.push("skipped");
      return outcomes;
    });
  }

  async run(effects: readonly Effect[]): Promise<readonly EffectOutcome[]> {
    const flows = effects.filter((effect) => effect.effect === "forget-flows");
    const announcements = effects.filter((effect) => effect.effect === "announce");
    const [announced, forgotten] = await Promise.all([
      announcements.length === 0 ? [] : this.#withSession((session) => runEffects(session, announcements)),
      this.#flowRounds.forget(flows),
    ]);
    const outcomes = new Map<Effect, EffectOutcome>();
    for (const [i, effect] of announcements.entries()) outcomes.set(effect, announced[i]);
    for (const [i, effect] of flows.entries()) outcomes.set(effect, forgotten[i]);
    return effects.map((effect) => outcomes.get(effect));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const sockets of this.#idle.splice(0)) closeSockets(sockets);
    sys.close(this.#hostFd);
  }

  async #withSession<T>(work: (session: Session) => T | Promise<T>): Promise<T> {
    const host = this.#idle.pop() ?? { fd: this.#hostFd };
    const session = new Session(host);
    try {
      return await work(session);
    } finally {
      session.close();
      if (this.#closed) closeSockets(host);
      else if (this.#idle.length < mostIdle) this.#idle.push(host);
      else closeSocketsSlowly(host);
    }
  }

  /** Carries out operations of one channel and namespace. Throws when the kernel did not answer. */
  async #applyRun(session: Session, run: readonly Operation[]): Promise<readonly Outcome[]> {
    const [first] = run;
    if (first === undefined) return [];
    try {
      switch (channelOf(first)) {
        case "rtnetlink":
          return await this.#rtnetlink(session, run as readonly RouteFamilyOperation[]); // as channelOf says
        case "nftables": {
          const own = run as readonly NftOperation[]; // as channelOf says
          return commitOperations(session.netfilter(placeOf(first)), own);
        }
        case "deleted links":
          await this.#deleteLinks(
            session,
            run.map(({ object }) => object as LinkObject),
          ); // as channelOf says
          break;
        case "one by one":
          applyOne(session, first);
      }
    } catch (error) {
      const refusal = asKernelError(error, `${first.op} ${first.object.kind}`, identityOf(first.object));
      if (!(refusal instanceof KernelError) || isBrokenOff(refusal)) throw error;
      return refusedOutcomes(run, refusal);
    }
    return run.map((): Outcome => undefined);
  }

  /** Sends the run as one datagram. A link it needs and cannot find is the refusal of that operation. */
  async #rtnetlink(session: Session, run: readonly RouteFamilyOperation[]): Promise<readonly Outcome[]> {
    const [first] = run;
    if (first === undefined) return [];
    const socket = session.route(netnsOfRequest(first));
    const requests: NetlinkRequest[] = [];
    const counts: number[] = [];
    let refusal: KernelError | undefined;
    for (const operation of run) {
      try {
        const own = routeRequests(session, operation);
        requests.push(...own);
        counts.push(own.length);
      } catch (error) {
        if (!(error instanceof KernelError)) throw error;
        if (!isGone(operation, error)) {
          refusal = error;
          break;
        }
        counts.push(0);
      }
    }
    const answers = await this.#send(socket, requests);
    const outcomes: Outcome[] = [];
    for (const [i, count] of counts.entries())
      outcomes.push(await this.#outcomeOf(session, answers.splice(0, count), run[i]));
    if (refusal !== undefined) outcomes.push(refusal);
    return [...outcomes, ...run.slice(outcomes.length).map((): Outcome => "skipped")];
  }

  /** How an operation ended whose requests were answered so. A link that was made by halves is deleted again. */
  async #outcomeOf(
    session: Session,
    answers: readonly RequestOutcome[],
    operation: RouteFamilyOperation | undefined,
  ): Promise<Outcome> {
    const refused = answers.find((answer) => answer !== undefined && !isOfNoIpv6(operation, answer));
    if (refused === undefined || operation === undefined || isGone(operation, refused)) return undefined;
    const { op, object } = operation;
    // It is there as it should be, whoever put it there.
    if (op === "create" && object.kind === "address" && refused.errnoName === "EEXIST") return undefined;
    if (op === "create" && object.kind === "link" && answers[0] === undefined)
      await this.#deleteLinks(session, [object]);
    return refused;
  }

  /** While a deletion holds the kernel's lock, this thread does not wait for it. */
  async #send(socket: NetlinkSocket, requests: readonly NetlinkRequest[]): Promise<RequestOutcome[]> {
    return this.#deletions > 0 ? await socket.requestSlow(requests) : socket.request(requests);
  }

  /** Deletes links of one namespace: many cost the kernel's wait for one when they go as a group. */
  async #deleteLinks(session: Session, links: readonly LinkObject[]): Promise<void> {
    const [first] = links;
    if (first === undefined) return;
    this.#deletions++;
    try {
      const { netns } = first;
      const there = links.flatMap(({ name }) => {
        const link = session.link(netns, name);
        // Whatever has the name and not the mark was made by somebody else.
        return link !== undefined && (link.group === linkGroup || link.group === doomedLinkGroup)
          ? [link.index]
          : [];
      });
      const socket = session.route(netns);
      const [only] = there;
      if (only === undefined) return;
      // Whoever follows the links' changes knows by their group that it is weft who deletes them.
      const requests = [
        ...there.map((index) => changeLink(index, { group: doomedLinkGroup })),
        there.length === 1 ? deleteLink(only) : deleteLinkGroup(doomedLinkGroup),
      ];
      const outcomes = await socket.requestSlow(requests);
      const refused = outcomes.find(
        (outcome) => outcome !== undefined && !isKernelError(outcome, ...alreadyGone),
      );
      if (refused !== undefined) throw refused;
    } finally {
      this.#deletions--;
    }
  }
}

/** The longest beginning of `operations` that one message, transaction or file operation can carry. */
function nextRun(operations: readonly Operation[]): readonly Operation[] {
  const [first] = operations;
  if (first === undefined) return [];
  const channel = channelOf(first);
  if (channel === "one by one") return [first];
  const end = operations.findIndex((one) => channelOf(one) !== channel || placeOf(one) !== placeOf(first));
  return end < 0 ? operations : operations.slice(0, end);
}

/** The namespace that an operation is carried out in. */
function placeOf(operation: Operation): NetnsRef {
  const { object } = operation;
  if (object.kind === "file") return "";
  return object.kind === "link" ? netnsOfRequest({ ...operation, object }) : object.netns;
}

/** True for a deletion of what is not there. */
function isGone({ op }: Operation, refusal: KernelError): boolean {
  return op === "delete" && isKernelError(refusal, ...alreadyGone);
}

/**
 * True for what a new link is told about IPv6 when it has none, by its MTU or by its kernel: it gives itself no address
 * then, which is all that it was told.
 */
function isOfNoIpv6(operation: RouteFamilyOperation | undefined, refusal: KernelError): boolean {
  const { object } = operation ?? {};
  return object?.kind === "link" && object.spec.type === "veth" && isKernelError(refusal, "EAFNOSUPPORT");
}

/** A run that failed as a whole: deletions of what is gone are done, the first of the others is refused. */
function refusedOutcomes(run: readonly Operation[], refusal: KernelError): readonly Outcome[] {
  const culprit = run.findIndex((operation) => !isGone(operation, refusal));
  return run.map((_operation, i): Outcome => {
    if (culprit < 0 || i < culprit) return undefined;
    return i === culprit ? refusal : "skipped";
  });
}

function applyOne(session: Session, { op, object }: Operation): void {
  switch (object.kind) {
    case "netns":
      if (op === "delete") removeNetns(object.netns);
      else if (op === "create") makeNetns(session, object);
      return;
    case "file":
      if (op === "delete") removeFile(object.path);
      else writeFile(object);
      return;
    case "sysctl":
      // A sysctl cannot be deleted: one that goes with its link or namespace needs nothing.
      if (op !== "delete") session.within(object.netns, () => writeSysctl(object));
  }
}

function makeNetns(session: Session, { netns, from, identity }: NetnsObject): void {
  // A file that is none was left by a crash between making it and mounting on it.
  if (!isNetns(netns)) removeNetns(netns);
  if (from === undefined) {
    createNetns(netns);
    return;
  }
  sys.close(openNetns(from)); // refuses what is not there
  if (!isNetns(from))
    throw new KernelError({ errno: EINVAL, call: "mount", object: `${from}: no namespace` });
  if (netnsIdentity(from) === netnsIdentityOfFd(session.netnsFd(hostNetns)))
    throw new KernelError({ errno: EINVAL, call: "mount", object: `${from}: the host's own namespace` });
  if (identity !== undefined && lastingNetnsIdentity(from) !== identity)
    throw new KernelError({ errno: ENOENT, call: "mount", object: `${from}: another namespace than before` });
  sys.close(sys.open(netns, sys.O_RDONLY | sys.O_CREAT | sys.O_EXCL, 0o400));
  try {
    sys.mount(from, netns, "none", sys.MS_BIND, null);
  } catch (error) {
    removeNetns(netns);
    throw error;
  }
}

const ENOENT = 2;
const EINVAL = 22;
