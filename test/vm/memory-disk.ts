/** A file of a memory disk. */
export interface DiskFile {
  /** Without a slash at its beginning; its folder comes before it as a file of its own. */
  readonly name: string;
  readonly content: Uint8Array | "folder";
}

/** File types and rights of include/uapi/linux/stat.h. */
const folderMode = 0o040755;
const programMode = 0o100755;

/**
 * An archive that the kernel unpacks as its first file system: the "newc" form of cpio, as
 * Documentation/driver-api/early-userspace/buffer-format.rst of the kernel has it. All files are root's.
 */
export function memoryDisk(files: readonly DiskFile[]): Buffer {
  const parts: Buffer[] = [];
  for (const [i, { name, content }] of files.entries()) {
    const bytes = content === "folder" ? Buffer.alloc(0) : Buffer.from(content);
    parts.push(...entry(name, content === "folder" ? folderMode : programMode, bytes, i + 1));
  }
  parts.push(...entry("TRAILER!!!", 0, Buffer.alloc(0), 0));
  return Buffer.concat(parts);
}

/** The header's fields: inode, mode, owner, group, links, time, size, device (2), device it stands for (2), name's length, sum. */
function entry(name: string, mode: number, content: Buffer, inode: number): Buffer[] {
  const fields = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, Buffer.byteLength(name) + 1, 0];
  const numbers = fields.map((field) => field.toString(16).padStart(8, "0")).join("");
  return [padded(Buffer.from(`070701${numbers}${name}\0`)), padded(content)];
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length & 3)) & 3)]);
}
