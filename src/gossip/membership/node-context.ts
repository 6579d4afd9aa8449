import type { ClusterDelegate, Member } from "../cluster.ts";
import { Awareness } from "./awareness.ts";
import { BroadcastQueue } from "./broadcast-queue.ts";
import type { NodeContext } from "./context.ts";
import { newGossipCounters } from "./counters.ts";
import { Guard, guardedDelegate, guardedHooks } from "./guarded.ts";
import { MemberTable } from "./member-table.ts";
import { checkName, type MembershipInit, versionsOf } from "./membership-init.ts";
import { PeerLog } from "./peer-log.ts";
import { lanProfile } from "./profile.ts";
import { TimerGroup } from "./timer-group.ts";

const defaultMaxMembers = 65_536;

/** Who hears of members besides the layer above, and before it. */
export interface MemberWatcher {
  joined(member: Member): void;
  gone(member: Member): void;
}

/** The parts of a node that all the others share. Throws INVALID_NAME and INVALID_OPTION. */
export function createContext(init: MembershipInit, watcher: MemberWatcher): NodeContext {
  checkName(init.name);
  const { log, dice } = init.environment;
  const profile = init.profile ?? lanProfile;
  const timers = new TimerGroup(init.environment.timers);
  const counters = newGossipCounters();
  const guard = new Guard(log, counters);
  return {
    self: init.name,
    profile,
    versions: versionsOf(init),
    timers,
    dice,
    log,
    counters,
    peerLog: new PeerLog(log, timers),
    table: new MemberTable(dice),
    queue: new BroadcastQueue(profile.retransmitMult),
    awareness: new Awareness(profile.awarenessMaxMultiplier),
    delegate: watched(guardedDelegate(init.delegate, guard), watcher),
    hooks: guardedHooks(init.hooks ?? {}, guard),
    maxMembers: init.maxMembers ?? defaultMaxMembers,
  };
}

function watched(delegate: ClusterDelegate, watcher: MemberWatcher): ClusterDelegate {
  return {
    ...delegate,
    joined: (member) => {
      watcher.joined(member);
      delegate.joined(member);
    },
    gone: (member) => {
      watcher.gone(member);
      delegate.gone(member);
    },
  };
}
