import { addressPart, type IpAddress } from "../core/index.ts";
import {
  type AddressGuard,
  type AddressProber,
  type AddressQuestion,
  type HeldAddress,
  noGuard,
} from "../kernel/index.ts";
import { type NetlinkSocket, rtnetlink } from "../kernel/netlink/index.ts";

const { getLink, IFF_RUNNING, listAddresses } = rtnetlink;

/**
 * Those of the addresses in question that somebody on the link has: the host itself, which does not hear what is
 * sent from its own link, or who answers a probe. None at once where nobody can answer. `socket` is of the
 * prober's namespace. Rejects with ABORTED and KernelError.
 */
export async function heldAddresses(
  socket: NetlinkSocket,
  prober: AddressProber,
  name: string,
  question: AddressQuestion,
): Promise<readonly HeldAddress[]> {
  const link = getLink(socket, name);
  if (link?.mac === undefined || question.addresses.length === 0) return [];
  const { index, mac, up, flags } = link;
  const ofLink = new Set<IpAddress>();
  for (const { address } of listAddresses(socket, { link: index })) ofLink.add(addressPart(address));
  const own = question.addresses.filter((address) => ofLink.has(address));
  const held = own.map((address) => ({ address, mac }));
  const silent = !up || (flags & IFF_RUNNING) === 0;
  const rest = question.addresses.filter((address) => !ofLink.has(address));
  if (silent || rest.length === 0 || question.isEnough?.(held) === true) return held;
  const { isEnough } = question;
  const answered = await prober.ask(
    { index, mac },
    {
      ...question,
      addresses: rest,
      ...(isEnough === undefined ? {} : { isEnough: (others) => isEnough([...held, ...others]) }),
    },
  );
  return [...held, ...answered];
}

/** Stands up for addresses that nobody had, on a link where somebody could hear; see {@link heldAddresses}. Throws KernelError. */
export function guardAddresses(
  socket: NetlinkSocket,
  prober: AddressProber,
  name: string,
  question: Pick<AddressQuestion, "addresses" | "ours">,
): AddressGuard {
  const link = getLink(socket, name);
  if (link?.mac === undefined || !link.up || question.addresses.length === 0) return noGuard;
  return prober.guard({ index: link.index, mac: link.mac }, question);
}
