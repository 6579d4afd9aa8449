import {
  addressPart,
  type Family,
  type IpAddress,
  lengthOf,
  type Prefix,
  prefixOf,
} from "../../../core/index.ts";
import { type Attributes, attribute, attributes } from "../attributes.ts";
import { enumerated } from "../codecs.ts";
import { type NetlinkMessage, type NetlinkRequest, NLM_F_CREATE, NLM_F_EXCL } from "../message.ts";
import type { NetlinkSocket } from "../socket.ts";
import { ipAddress, padding, struct, text, u8, u16, u32, type Value } from "../wire.ts";
import { familyFromNumber, familyNumber, unspecifiedAddress } from "./family.ts";
import { dumpFiltered } from "./filtered-dump.ts";
import { RT_TABLE_MAIN } from "./route.ts";
import { RTM_DELRULE, RTM_GETRULE, RTM_NEWRULE } from "./rtm.ts";

/** FR_ACT_* of include/uapi/linux/fib_rules.h. */
const ruleAction = enumerated(u8, {
  unspecified: 0,
  lookup: 1,
  goto: 2,
  nop: 3,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
});

/** struct fib_rule_hdr of include/uapi/linux/fib_rules.h. */
const fibRuleHeader = struct({
  family: u8,
  destinationLength: u8,
  sourceLength: u8,
  tos: u8,
  table: u8,
  reserved: padding(2),
  action: ruleAction,
  flags: u32,
});

const portRange = struct({ first: u16, last: u16 });

/** FRA_* of include/uapi/linux/fib_rules.h. */
const ruleAttributes = attributes({
  to: attribute(1, ipAddress),
  from: attribute(2, ipAddress),
  iif: attribute(3, text),
  goto: attribute(4, u32),
  priority: attribute(6, u32),
  mark: attribute(10, u32),
  suppressPrefixLength: attribute(14, u32),
  table: attribute(15, u32),
  mask: attribute(16, u32),
  oif: attribute(17, text),
  l3mdev: attribute(19, u8),
  protocol: attribute(21, u8),
  ipProtocol: attribute(22, u8),
  sourcePorts: attribute(23, portRange),
  destinationPorts: attribute(24, portRange),
});

/** In `flags`: the rule is for what does not match. */
export const FIB_RULE_INVERT = 0x2;

/** FRA_SUPPRESS_PREFIXLEN that suppresses nothing, which the kernel tells of every rule. */
const suppressNothing = 0xffffffff;

/** A rule of policy routing: which packets look into which table. */
export interface Rule {
  readonly family: Family;
  /** The lowest is asked first; the kernel chooses when absent in a request. */
  readonly priority?: number | undefined;
  /** `lookup` when absent. */
  readonly action?: Value<typeof ruleAction> | undefined;
  /** RT_TABLE_MAIN when absent in a request that makes a rule, any in one that deletes. */
  readonly table?: number | undefined;
  /** Source and destination of the packet. */
  readonly from?: Prefix | undefined;
  readonly to?: Prefix | undefined;
  /** Names of the links by which it comes and goes. */
  readonly iif?: string | undefined;
  readonly oif?: string | undefined;
  readonly tos?: number | undefined;
  /** Firewall mark, under `mask` (all bits when absent). */
  readonly mark?: number | undefined;
  readonly mask?: number | undefined;
  /** IPPROTO_*. */
  readonly ipProtocol?: number | undefined;
  readonly sourcePorts?: Value<typeof portRange> | undefined;
  readonly destinationPorts?: Value<typeof portRange> | undefined;
  /** Routes with a prefix of at most this length are as if they were not found. */
  readonly suppressPrefixLength?: number | undefined;
  /** Priority of the rule to go on with, for action `goto`. */
  readonly goto?: number | undefined;
  /** 1: the table of the VRF that the packet belongs to. */
  readonly l3mdev?: number | undefined;
  /** RTPROT_*: who made it. */
  readonly protocol?: number | undefined;
  /** FIB_RULE_*. */
  readonly flags?: number | undefined;
}

function ruleRequest(call: string, type: number, flags: number, rule: Rule): NetlinkRequest {
  const makes = type === RTM_NEWRULE;
  const { family, action, table, from, to, tos, flags: ruleFlags, ...rest } = rule;
  const looksUp = action === undefined || action === "lookup";
  const number = table ?? (makes && looksUp && rest.l3mdev !== 1 ? RT_TABLE_MAIN : 0);
  return {
    type,
    flags,
    call,
    object: `rule ${rule.priority ?? ""} of IPv${family}`,
    body(writer) {
      fibRuleHeader.write(writer, {
        family: familyNumber(family),
        destinationLength: to === undefined ? 0 : lengthOf(to),
        sourceLength: from === undefined ? 0 : lengthOf(from),
        tos: tos ?? 0,
        table: number < 256 ? number : 0,
        action: action ?? (makes ? "lookup" : "unspecified"),
        flags: ruleFlags ?? 0,
      });
      ruleAttributes.write(writer, {
        ...rest,
        from: from === undefined ? undefined : addressPart(from),
        to: to === undefined ? undefined : addressPart(to),
        table: number < 256 ? undefined : number,
      });
    },
  };
}

/** RTM_NEWRULE that refuses (EEXIST) when there is the same rule. */
export function addRule(rule: Rule): NetlinkRequest {
  return ruleRequest("RTM_NEWRULE", RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule);
}

/** RTM_DELRULE for the first rule that has all that is given. ENOENT when there is none. */
export function deleteRule(rule: Rule): NetlinkRequest {
  return ruleRequest("RTM_DELRULE", RTM_DELRULE, 0, rule);
}

/** Reads RTM_NEWRULE or RTM_DELRULE of IPv4 or IPv6; undefined for others. */
export function decodeRule(message: NetlinkMessage): Rule | undefined {
  if (message.type !== RTM_NEWRULE && message.type !== RTM_DELRULE) return undefined;
  const header = fibRuleHeader.read(message.payload);
  const family = familyFromNumber(header.family);
  if (family === undefined) return undefined;
  return ruleFrom(header, family, ruleAttributes.read(message.payload.subarray(fibRuleHeader.size)));
}

function ruleFrom(
  header: Value<typeof fibRuleHeader>,
  family: Family,
  found: Attributes<typeof ruleAttributes>,
): Rule {
  const { from, to, table, suppressPrefixLength: suppress, ...rest } = found;
  const prefix = (address: IpAddress | undefined, length: number) =>
    address === undefined && length === 0
      ? undefined
      : prefixOf(address ?? unspecifiedAddress(family), length);
  const source = prefix(from, header.sourceLength);
  const destination = prefix(to, header.destinationLength);
  return {
    ...rest,
    family,
    priority: found.priority ?? 0, // the kernel leaves out 0, that of the local table's rule
    action: header.action,
    table: table ?? header.table,
    flags: header.flags,
    ...(header.tos === 0 ? {} : { tos: header.tos }),
    ...(source === undefined ? {} : { from: source }),
    ...(destination === undefined ? {} : { to: destination }),
    ...(suppress === undefined || suppress === suppressNothing ? {} : { suppressPrefixLength: suppress }),
  };
}

function ruleDump(family: Family | undefined): NetlinkRequest {
  return {
    type: RTM_GETRULE,
    flags: 0,
    call: "RTM_GETRULE",
    object: "rules",
    body: (writer) =>
      fibRuleHeader.write(writer, {
        family: familyNumber(family),
        destinationLength: 0,
        sourceLength: 0,
        tos: 0,
        table: 0,
        action: "unspecified",
        flags: 0,
      }),
  };
}

/** Which rules {@link listRules} gives; all that is absent is any. The kernel knows no filter but the family. */
export interface RuleFilter {
  readonly family?: Family | undefined;
  readonly table?: number | undefined;
  readonly protocol?: number | undefined;
}

/** The rules in the socket's namespace, by family and priority. Throws KernelError. */
export function listRules(socket: NetlinkSocket, filter: RuleFilter = {}): Rule[] {
  const request = ruleDump(filter.family);
  return dumpFiltered(socket, {
    narrow: request,
    wide: request,
    decode: decodeRule,
    wanted: (rule) =>
      (filter.table === undefined || rule.table === filter.table) &&
      (filter.protocol === undefined || rule.protocol === filter.protocol),
  });
}
