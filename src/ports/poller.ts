import * as sys from "../kernel/syscalls.ts";

/** Told that a descriptor is ready: a combination of EPOLLIN, EPOLLOUT, EPOLLERR and EPOLLHUP. */
export type OnReady = (events: number) => void;

interface Watch {
  /** Tells this watch from an earlier one of a descriptor of the same number. */
  readonly serial: number;
  readonly onReady: OnReady;
}

const eventsAtOnce = 256;

/** Waits for descriptors with epoll(7), level-triggered, on a thread that does nothing else. */
export class Poller {
  readonly fd = sys.epollCreate();
  readonly #watched = new Map<number, Watch>();
  readonly #events = Buffer.alloc(eventsAtOnce * sys.epollEventBytes);
  readonly #event = Buffer.alloc(sys.epollEventBytes);
  #serial = 0;

  /** Calls `onReady` whenever `fd` is ready for one of `events`; for errors always. Throws KernelError. */
  add(fd: number, events: number, onReady: OnReady): void {
    this.#serial = (this.#serial + 1) >>> 0;
    this.#control(sys.EPOLL_CTL_ADD, fd, events, this.#serial);
    this.#watched.set(fd, { serial: this.#serial, onReady });
  }

  /** Changes what a watched descriptor is waited for. Throws KernelError. */
  change(fd: number, events: number): void {
    const watch = this.#watched.get(fd);
    if (watch !== undefined) this.#control(sys.EPOLL_CTL_MOD, fd, events, watch.serial);
  }

  /** Waits for `fd` no longer; no harm when it is not watched. Throws KernelError. */
  remove(fd: number): void {
    if (this.#watched.delete(fd)) this.#control(sys.EPOLL_CTL_DEL, fd, 0, 0);
  }

  /** {@link remove} for one that is closed at once and has no duplicate: the kernel forgets it by itself. */
  forget(fd: number): void {
    this.#watched.delete(fd);
  }

  /**
   * Waits until something is ready, at most `timeoutMs` (-1: no limit), tells whom it concerns, and gives how
   * many there were. Throws KernelError.
   */
  wait(timeoutMs: number): number {
    const count = sys.epollWait(this.fd, this.#events, timeoutMs);
    for (let i = 0; i < count; i++) {
      const at = i * sys.epollEventBytes;
      const watch = this.#watched.get(this.#events.readUInt32LE(at + sys.epollDataOffset));
      // What was told before may have closed this one, and given its number to another.
      if (watch?.serial !== this.#events.readUInt32LE(at + sys.epollDataOffset + 4)) continue;
      watch.onReady(this.#events.readUInt32LE(at));
    }
    return count;
  }

  #control(operation: number, fd: number, events: number, serial: number): void {
    this.#event.writeUInt32LE(events, 0);
    this.#event.writeUInt32LE(fd, sys.epollDataOffset);
    this.#event.writeUInt32LE(serial, sys.epollDataOffset + 4);
    sys.epollControl(this.fd, operation, fd, this.#event);
  }
}
