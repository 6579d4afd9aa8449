/** IFLA_GROUP of every link that weft made. */
export const linkGroup = 30565;
/** IFLA_GROUP of links about to be deleted: a whole group costs one wait, and so do they. */
export const doomedLinkGroup = 30566;
/** rtm_protocol of weft's routes and IFA_PROTO of its addresses (Linux 5.18); 119 is in the range for daemons. */
export const protocolNumber = 119;
/** The name of weft's table in every namespace where it needs one. */
export const tableName = "weft";
/**
 * Sets of weft's table whose elements keep traffic out: they are withdrawn after the links that they speak
 * of, not before.
 */
export const closingSets: ReadonlySet<string> = new Set([
  "ifs",
  "internal",
  "guarded",
  "foreign",
  // They let through what "foreign" would keep out, so they last as long.
  "routers",
]);
/**
 * The bit of a packet's mark by which weft's own chain tells other firewalls' chains that weft has judged
 * the packet; their one rule of weft's accepts it. See {@link AcceptRuleObject}.
 */
export const acceptMark = 0x1000000;
/**
 * The bit of a packet's mark that says it came from a sandbox, on bridges that others send to as well: by
 * then the packet has the bridge's name and not its port's.
 */
export const sandboxMark = 0x2000000;
