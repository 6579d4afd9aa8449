import type { AnnounceEffect } from "../effects.ts";
import { AF_PACKET, announcementFrame, linkLayerAddress } from "../neighbours/index.ts";
import * as sys from "../syscalls.ts";
import type { Session } from "./session.ts";

/** Sends the announcement of each address from its link. Throws KernelError. */
export function announce(session: Session, { netns, link, mac, addresses }: AnnounceEffect): void {
  if (addresses.length === 0) return;
  const sender = mac ?? session.link(netns, link)?.mac;
  const index = session.index(netns, link);
  if (sender === undefined) return; // it has no neighbours
  // Protocol 0: the socket sends and receives nothing.
  const fd = session.within(netns, () => sys.socket(AF_PACKET, sys.SOCK_RAW, 0));
  try {
    sys.bind(fd, linkLayerAddress(index), `link ${link}`);
    for (const address of addresses)
      sys.send(fd, announcementFrame(sender, address), "send", `announcement of ${address}`);
  } finally {
    void sys.closeSlowly(fd); // nobody need wait for that
  }
}
