/** What a firewall lets in besides what it lets in by itself. */
export interface Allowed {
  /** TCP ports of the host that anybody may reach; 22 if not said. */
  readonly tcpPorts?: readonly number[];
}

/** What differs between the two families in a rule set of ufw. */
interface Family {
  /** How its chains' names begin. */
  readonly prefix: string;
  readonly before: readonly string[];
  readonly beforeForward: readonly string[];
  /** What it does with packets that are not for this host; only IPv4 has broadcasts. */
  readonly notLocal: readonly string[];
}

const ipv4: Family = {
  prefix: "ufw",
  before: [
    "-p icmp --icmp-type 3 -j ACCEPT",
    "-p icmp --icmp-type 11 -j ACCEPT",
    "-p icmp --icmp-type 12 -j ACCEPT",
    "-p icmp --icmp-type 8 -j ACCEPT",
    "-p udp --sport 67 --dport 68 -j ACCEPT",
    "-j ufw-not-local",
    "-d 224.0.0.251 -p udp --dport 5353 -j ACCEPT",
  ],
  beforeForward: [
    "-p icmp --icmp-type 3 -j ACCEPT",
    "-p icmp --icmp-type 11 -j ACCEPT",
    "-p icmp --icmp-type 12 -j ACCEPT",
    "-p icmp --icmp-type 8 -j ACCEPT",
  ],
  notLocal: [
    ...["LOCAL", "MULTICAST", "BROADCAST"].map((type) => `-m addrtype --dst-type ${type} -j RETURN`),
    "-j DROP",
  ],
};

const ipv6: Family = {
  prefix: "ufw6",
  before: [
    ...[1, 2, 3, 4, 128, 133, 134, 135, 136].map((type) => `-p icmpv6 --icmpv6-type ${type} -j ACCEPT`),
    "-s fe80::/10 -d fe80::/10 -p udp --sport 547 --dport 546 -j ACCEPT",
    "-d ff02::fb -p udp --dport 5353 -j ACCEPT",
  ],
  beforeForward: [1, 2, 3, 4, 128].map((type) => `-p icmpv6 --icmpv6-type ${type} -j ACCEPT`),
  notLocal: [],
};

/** For iptables-restore: the filter table as ufw lays it out, with its defaults (INPUT and FORWARD dropped) and without logging. */
export function ufwRules(allowed: Allowed = {}): string {
  return filterTable(ipv4, allowed);
}

/** The same for ip6tables-restore. */
export function ufw6Rules(allowed: Allowed = {}): string {
  return filterTable(ipv6, allowed);
}

const hooks = ["input", "forward", "output"] as const;
const established = "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT";
const invalid = "-m conntrack --ctstate INVALID -j DROP";

/** Each built-in chain passes ufw's own in this order; the user's is called at the end of the one before. */
const stages = (hook: string) => [
  `before-logging-${hook}`,
  `before-${hook}`,
  `after-${hook}`,
  `after-logging-${hook}`,
  `reject-${hook}`,
  `track-${hook}`,
];

function filterTable(
  { prefix, before, beforeForward, notLocal }: Family,
  { tcpPorts = [22] }: Allowed,
): string {
  const chains = [...hooks.flatMap(stages), ...hooks.map((hook) => `user-${hook}`)];
  if (notLocal.length > 0) chains.push("not-local");
  const append = (chain: string, rules: readonly string[]) =>
    rules.map((rule) => `-A ${prefix}-${chain} ${rule}`);
  const lines = [
    "*filter",
    ":INPUT DROP",
    ":FORWARD DROP",
    ":OUTPUT ACCEPT",
    ...chains.map((chain) => `:${prefix}-${chain} -`),
    ...hooks.flatMap((hook) => stages(hook).map((stage) => `-A ${hook.toUpperCase()} -j ${prefix}-${stage}`)),
    ...append("before-input", [
      "-i lo -j ACCEPT",
      established,
      invalid,
      ...before,
      `-j ${prefix}-user-input`,
    ]),
    ...append("before-forward", [established, ...beforeForward, `-j ${prefix}-user-forward`]),
    ...append("before-output", ["-o lo -j ACCEPT", established, `-j ${prefix}-user-output`]),
    ...append("not-local", notLocal),
    ...append(
      "after-input",
      ["udp --dport 137", "udp --dport 138", "tcp --dport 139", "tcp --dport 445"].map(
        (what) => `-p ${what} -j DROP`,
      ),
    ),
    ...append(
      "track-output",
      ["tcp", "udp"].map((protocol) => `-p ${protocol} -m conntrack --ctstate NEW -j ACCEPT`),
    ),
    ...append(
      "user-input",
      tcpPorts.map((port) => `-p tcp --dport ${port} -j ACCEPT`),
    ),
    "COMMIT",
  ];
  return `${lines.join("\n")}\n`;
}
