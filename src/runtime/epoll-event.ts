import * as sys from "../kernel/syscalls.ts";

/** A struct epoll_event that asks once for `fd` to be read, under a serial number. */
export function readableOnce(fd: number, serial = 0): Buffer {
  const event = Buffer.alloc(sys.epollEventBytes);
  event.writeUInt32LE(sys.EPOLLIN | sys.EPOLLONESHOT, 0);
  event.writeUInt32LE(fd, sys.epollDataOffset);
  event.writeUInt32LE(serial, sys.epollDataOffset + 4);
  return event;
}
