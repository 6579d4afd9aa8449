/** Whose fault an error is; src/api maps each kind to one HTTP status. */
export type ErrorKind =
  | "InvalidParameter"
  | "NotFound"
  | "Conflict"
  | "Forbidden"
  | "Unavailable"
  | "NotImplemented"
  | "Internal";

interface CatalogueEntry {
  readonly kind: ErrorKind;
  /** When it happens, and what to do about it; one line of docs/errors.md. */
  readonly meaning: string;
}

function entry<const K extends ErrorKind>(kind: K, meaning: string) {
  return { kind, meaning } as const satisfies CatalogueEntry;
}

/** Every code that weft throws. Codes are stable: programs compare them. docs/errors.md is made from this. */
export const errorCatalogue = {
  INVALID_ADDRESS: entry("InvalidParameter", "Text that is no IPv4 or IPv6 address."),
  INVALID_PREFIX: entry("InvalidParameter", "Text that is no CIDR prefix, or one with host bits set."),
  INVALID_MAC: entry("InvalidParameter", "Text that is no unicast Ethernet address."),
  INVALID_NAME: entry(
    "InvalidParameter",
    "A name that is empty, too long, or has characters names cannot have.",
  ),
  INVALID_ID: entry("InvalidParameter", "Text that is not 64 hexadecimal digits."),
  AMBIGUOUS_ID: entry(
    "InvalidParameter",
    "An id prefix that more than one object begins with; give more digits.",
  ),
  INVALID_OPTION: entry("InvalidParameter", "A driver option with a value it cannot have."),
  UNKNOWN_OPTION: entry(
    "InvalidParameter",
    "An option that the driver does not know; the message lists those it knows.",
  ),
  INVALID_IPAM_CONFIG: entry(
    "InvalidParameter",
    "A subnet, ip-range, gateway or aux-address that do not fit together.",
  ),
  INVALID_POOL: entry("InvalidParameter", "A pool request that cannot be understood or served."),
  ADDRESS_OUT_OF_RANGE: entry("InvalidParameter", "A requested address that lies outside the pool."),
  POOLS_EXHAUSTED: entry(
    "InvalidParameter",
    "Every predefined address pool is in use; add default-address-pools or name a subnet.",
  ),
  NO_ROOT: entry("Forbidden", "weft needs root (CAP_NET_ADMIN and CAP_SYS_ADMIN) to change networks."),
  POOL_OVERLAP: entry("Forbidden", "The subnet overlaps one that another network holds."),
  ADDRESS_IN_USE: entry("Forbidden", "The requested address is taken."),
  ADDRESS_CONFLICT: entry(
    "Conflict",
    "A machine on the network's wire that weft knows nothing of has the address, or is about to take it.",
  ),
  NO_AVAILABLE_ADDRESSES: entry("Unavailable", "The pool has no free address left."),
  INVALID_PORT: entry("InvalidParameter", "Text that is no port to publish; the message says what is wrong."),
  PORT_IN_USE: entry("Conflict", "The host port is published already, or another program has it."),
  PORTS_EXHAUSTED: entry("Unavailable", "No host port of the range is free."),
  HOST_ADDRESS_MISSING: entry("Unavailable", "The host has not got the address that a port is published on."),
  NETWORK_NOT_FOUND: entry("NotFound", "No network of that name or id."),
  NETWORK_EXISTS: entry("Conflict", "A network of that name exists."),
  NETWORK_HAS_ENDPOINTS: entry("Forbidden", "The network still has endpoints; delete them first."),
  NETWORK_FULL: entry("Forbidden", "The network has as many endpoints as its driver can give it."),
  NETWORK_PREDEFINED: entry(
    "Forbidden",
    "The networks bridge, host and none are weft's own, and those of some drivers exist once: they cannot be made again or removed.",
  ),
  NETWORK_CONFIG: entry(
    "Forbidden",
    "A configuration network, or one that is made from it, cannot have that; or it is in use.",
  ),
  NETWORK_SCOPE: entry(
    "Forbidden",
    "The network cannot live where it is asked to: on this host, or in a cluster.",
  ),
  BRIDGE_NAME_IN_USE: entry("Forbidden", "Another network uses the same bridge name."),
  PARENT_MISSING: entry(
    "NotFound",
    "The host has no interface of the name that the network is to be built on.",
  ),
  PARENT_DOWN: entry(
    "Conflict",
    "The interface that the network is to be built on is down; bring it up first.",
  ),
  PARENT_IN_USE: entry(
    "Forbidden",
    "The interface that the network is to be built on serves another network, or a bridge, in a way that leaves no room for this one.",
  ),
  PARENT_HAS_ADDRESSES: entry(
    "Conflict",
    "The interface that is to become a port of the network's bridge, or to be the one sandbox's in mode passthru, has addresses of its own, which the host would lose.",
  ),
  ENDPOINT_NOT_FOUND: entry("NotFound", "No endpoint of that name or id in the network."),
  ENDPOINT_EXISTS: entry("Forbidden", "An endpoint of that name exists in the network."),
  ENDPOINT_JOINED: entry("Forbidden", "The endpoint is in a sandbox already, or its sandbox is still there."),
  ENDPOINT_NOT_JOINED: entry("InvalidParameter", "The endpoint is in no sandbox."),
  SANDBOX_NOT_FOUND: entry("NotFound", "No sandbox of that id."),
  SANDBOX_EXISTS: entry("Conflict", "A sandbox for that container exists."),
  SANDBOX_RUNNING: entry("Conflict", "The sandbox's command runs; stop it first."),
  SANDBOX_NOT_RUNNING: entry("Conflict", "The sandbox's command does not run."),
  NO_OUTPUT: entry("NotFound", "No command of the sandbox has written to a log."),
  NO_COMMAND: entry("Conflict", "The sandbox was made without a command."),
  INTERFACE_NAME_IN_USE: entry("Conflict", "The sandbox has an interface of that name already."),
  DRIVER_NOT_FOUND: entry("NotFound", "No driver of that name; the message lists those there are."),
  DRIVER_ANSWER: entry("Internal", "A driver answered something that the contract does not allow."),
  OBJECT_CONFLICT: entry("Conflict", "Two owners want different values for one kernel object."),
  CONTROLLER_RUNNING: entry("Conflict", "Another controller holds this host namespace or root folder."),
  CONTROLLER_CLOSED: entry("Unavailable", "The controller was closed."),
  SCHEMA_NEWER: entry("Unavailable", "The root folder was written by a newer weft; use that version."),
  STORE: entry("Unavailable", "The store could not read or write; its cause says why."),
  DISK_FULL: entry(
    "Unavailable",
    "The disk of the root folder is full: the change was refused and nothing was lost; make room and try again.",
  ),
  FILE_EXISTS: entry("Conflict", "The file to write is there already; name another."),
  INVALID_COMMAND: entry(
    "InvalidParameter",
    "A command that cannot be started as asked: no program, or no such user, working directory or root folder; the message says which.",
  ),
  COMMAND_NOT_FOUND: entry("InvalidParameter", "The program to run is not there, or its interpreter is not."),
  COMMAND_NOT_EXECUTABLE: entry(
    "InvalidParameter",
    "The program to run is there, and the kernel or its mode refuses to execute it.",
  ),
  COMMAND_ENDED: entry("Conflict", "The command in whose namespaces something should be run has ended."),
  INVALID_CAPABILITY: entry(
    "InvalidParameter",
    "A capability that there is not, or that weft itself has not got and so cannot give.",
  ),
  INVALID_SIGNAL: entry("InvalidParameter", "Text that is no name or number of a signal."),
  LAUNCH: entry("Internal", "The launcher could not prepare the namespaces of a command."),
  GOSSIP_MALFORMED: entry("InvalidParameter", "Bytes from another gossip node that cannot be read."),
  DATABASE_NOT_RUNNING: entry("Unavailable", "The network database is not started, or was started before."),
  TABLE_NETWORK_NOT_JOINED: entry(
    "NotFound",
    "This node is not on that network of the network database; join it first.",
  ),
  TABLE_ENTRY_EXISTS: entry("Conflict", "The table of the network database has an entry of that key."),
  TABLE_ENTRY_NOT_FOUND: entry("NotFound", "The table of the network database has no entry of that key."),
  TABLE_FULL: entry("Unavailable", "The network has as many entries in the network database as it can."),
  INVALID_TABLE_ENTRY: entry(
    "InvalidParameter",
    "A network, table, key or value that the network database cannot hold: empty, or too long.",
  ),
  KERNEL: entry("Internal", "The kernel refused a request; errno, call and object are in the message."),
  FEATURE_MISSING: entry(
    "NotImplemented",
    "This kernel lacks what the request needs; the message names the module.",
  ),
  GOSSIP_KEY: entry(
    "InvalidParameter",
    "A gossip key of a wrong length, or one that the keyring cannot use so.",
  ),
  GOSSIP_TOO_LONG: entry("InvalidParameter", "A gossip message that does not fit where it should go."),
  GOSSIP_PROTOCOL: entry("Conflict", "Nodes whose gossip protocol versions have none in common."),
  GOSSIP_UNREACHABLE: entry("Unavailable", "A gossip node that did not answer in time, or refused."),
  GOSSIP_NAME_IN_USE: entry("Conflict", "Another living node of the cluster has the name."),
  GOSSIP_CLOSED: entry("Unavailable", "The gossip node was shut down."),
  TEARDOWN: entry(
    "Internal",
    "Something could not be taken down, or taken back after a refusal; all that went wrong is listed.",
  ),
  INVALID_REQUEST: entry(
    "InvalidParameter",
    "A request to the daemon with a part that is missing, unknown or has a value it cannot have; the message names it.",
  ),
  ROUTE_NOT_FOUND: entry("NotFound", "The daemon has no such path; GET /v1/openapi.json lists those it has."),
  METHOD_NOT_ALLOWED: entry(
    "InvalidParameter",
    "The path exists, but not with this HTTP method; the answer's Allow header has those it takes. Status 405.",
  ),
  UNSUPPORTED_MEDIA_TYPE: entry(
    "InvalidParameter",
    "A request's body that is not declared as application/json. Status 415.",
  ),
  BODY_TOO_LARGE: entry("InvalidParameter", "A request's body of more than 1 MiB. Status 413."),
  HEADERS_TOO_LARGE: entry("InvalidParameter", "A request's headers of more than 16 KiB. Status 431."),
  REQUEST_TIMEOUT: entry(
    "InvalidParameter",
    "A request that was begun and not ended in time: 10 s for its head, 30 s for its body. Status 408.",
  ),
  TOO_MANY_CONNECTIONS: entry("Unavailable", "The daemon has as many connections as it takes; try again."),
  SOCKET_IN_USE: entry("Conflict", "Another daemon listens on the socket."),
  INVALID_SOCKET_PATH: entry(
    "InvalidParameter",
    "The daemon's socket cannot be made there: the path is too long, its folder is not there, or something else is.",
  ),
  DAEMON_UNREACHABLE: entry(
    "Unavailable",
    "Nothing listens on the daemon's socket; start it with `weft up`.",
  ),
  DAEMON_FORBIDDEN: entry(
    "Forbidden",
    "The daemon's socket may not be opened: be root, or in the group that it belongs to.",
  ),
  ANSWER_LOST: entry(
    "Unavailable",
    "The connection ended before the answer did; whether the operation was done is not known.",
  ),
  BAD_ANSWER: entry(
    "Internal",
    "The daemon answered something that this client cannot read; it may be of another version.",
  ),
  ABORTED: entry("Unavailable", "The caller's AbortSignal fired before the work was done."),
  INVALID_CONFIG: entry(
    "InvalidParameter",
    "The daemon's configuration file has a key or a value it cannot have.",
  ),
  FOLDER_NOT_OWN: entry("Forbidden", "A folder was to be removed with weft's files, and holds others."),
  EVENTS_LOST: entry(
    "Unavailable",
    "Events were forgotten before they were read; list what there is and follow anew.",
  ),
  INTERNAL: entry("Internal", "A defect of weft; please report it with the message."),
} as const satisfies Readonly<Record<string, CatalogueEntry>>;

/** A stable error code, a key of {@link errorCatalogue}. */
export type ErrorCode = keyof typeof errorCatalogue;
