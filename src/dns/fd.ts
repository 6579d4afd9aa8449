import { closeSync, fstatSync } from "node:fs";

/** A descriptor together with what it names, since its number is given to another as soon as it is closed. */
export interface OwnedFd {
  readonly fd: number;
  readonly inode: bigint;
}

/** Notes what `fd` names. Throws EBADF when it is not open. */
export function ownFd(fd: number): OwnedFd {
  return { fd, inode: fstatSync(fd, { bigint: true }).ino };
}

/**
 * Closes the descriptor if it still names what it did. After a socket could not be set up, Node has
 * closed its descriptor in some cases and not in others, and does not say which.
 */
export function closeIfStillOwned({ fd, inode }: OwnedFd): void {
  try {
    if (ownFd(fd).inode === inode) closeSync(fd);
  } catch {
    // Closed already, which was wanted.
  }
}

/** Closes a descriptor that nothing has used yet; no harm when it is not open. */
export function discardFd(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // Not open, which was wanted.
  }
}
