// The stage of the demo: a throw-away host namespace, joined by a veth pair to a namespace "outside".
import { closeSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createNetns,
  type InterfaceAddress,
  inNetnsAt,
  mountPrivateFolder,
  NETLINK_ROUTE,
  type NetlinkRequest,
  NetlinkSocket,
  openNetns,
  parseInterfaceAddress,
  removeNetns,
  rtnetlink,
  unmountPrivateFolder,
} from "../../src/kernel/netlink/index.ts";

const { addAddress, changeLink, createLink, IFA_F_NODAD } = rtnetlink;

/** Addresses of the link between the host and the outside (RFC 5737 and RFC 3849 documentation prefixes). */
const hostAddresses = ["192.0.2.1/24", "2001:db8::1/64"].map(parseInterfaceAddress);
const outsideAddresses = ["192.0.2.2/24", "2001:db8::2/64"].map(parseInterfaceAddress);

/** Where the demo plays. */
export interface Stage {
  /** A folder that goes with the stage. */
  readonly folder: string;
  /** Below it, not made yet, one for the records. */
  readonly root: string;
  /** Paths of the two namespaces. */
  readonly host: string;
  readonly outside: string;
  /** Takes everything down again; calling it twice does no harm. */
  strike(): void;
}

/** Makes the namespaces and the link between them. */
export function buildStage(): Stage {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "weft-demo-")));
  const run = join(folder, "netns");
  const [host, outside] = [join(run, "host"), join(run, "outside")];
  const strike = () => {
    removeNetns(host);
    removeNetns(outside);
    unmountPrivateFolder(run);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    mountPrivateFolder(run);
    createNetns(host);
    createNetns(outside);
    const hostFd = openNetns(host);
    const peer = { name: "uplink", index: 20, netnsFd: hostFd };
    request(outside, [
      createLink({ name: "world", kind: { kind: "veth", peer }, index: 10 }),
      ...outsideAddresses.map((address) => withAddress(10, address)),
      changeLink(10, { up: true }),
      changeLink("lo", { up: true }),
    ]);
    closeSync(hostFd);
    request(host, [
      ...hostAddresses.map((address) => withAddress(20, address)),
      changeLink(20, { up: true }),
      changeLink("lo", { up: true }),
    ]);
    return { folder, root: join(folder, "root"), host, outside, strike };
  } catch (error) {
    strike();
    throw error;
  }
}

function withAddress(link: number, address: InterfaceAddress): NetlinkRequest {
  return addAddress({ link, address, flags: address.includes(":") ? IFA_F_NODAD : 0 });
}

function request(netns: string, requests: readonly NetlinkRequest[]): void {
  const socket = inNetnsAt(netns, () => NetlinkSocket.open(NETLINK_ROUTE));
  try {
    for (const outcome of socket.request(requests)) if (outcome !== undefined) throw outcome;
  } finally {
    socket.close();
  }
}
