/**
 * Opcodes of classic BPF, include/uapi/linux/bpf_common.h: load the 32 or 8 bits at offset `k`, in network byte order;
 * jump by whether they are `k`; return `k`.
 */
export const bpf = { loadWord: 0x20, loadByte: 0x30, jumpIfEqual: 0x15, return: 0x06 } as const;

/** What to do, how many instructions to skip if it is so and if it is not, and a number of 32 bits. */
export type BpfInstruction = readonly [code: number, ifTrue: number, ifFalse: number, k: number];

/** A program as the kernel takes it for sockets and for seccomp: an array of struct sock_filter (include/uapi/linux/filter.h). */
export function encodeBpf(program: readonly BpfInstruction[]): Buffer {
  const bytes = Buffer.alloc(8 * program.length);
  for (const [i, [code, ifTrue, ifFalse, k]] of program.entries()) {
    bytes.writeUInt16LE(code, 8 * i);
    bytes.writeUInt8(ifTrue, 8 * i + 2);
    bytes.writeUInt8(ifFalse, 8 * i + 3);
    bytes.writeUInt32LE(k >>> 0, 8 * i + 4);
  }
  return bytes;
}
