import * as sys from "../kernel/syscalls.ts";

/** A way into the kernel, of AUDIT_ARCH_* (include/uapi/linux/audit.h), and what ioctl(2) is called there. */
interface SyscallTable {
  readonly arch: number;
  readonly ioctl: readonly number[];
}

/** By Node's name of the architecture; each kernel serves programs of the smaller one too. */
const tables: Readonly<Record<string, readonly SyscallTable[]>> = {
  x64: [
    { arch: 0xc000003e, ioctl: [16, 0x4000_0000 + 514] }, // the second: x32
    { arch: 0x40000003, ioctl: [54] },
  ],
  arm64: [
    { arch: 0xc00000b7, ioctl: [29] },
    { arch: 0x40000028, ioctl: [54] },
  ],
};

/** Requests by which a program types on a terminal, or selects and pastes: include/uapi/asm-generic/ioctls.h. */
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;

/** Offsets in struct seccomp_data: the call's number, the architecture, the low half of the second argument. */
const numberAt = 0;
const archAt = 4;
const requestAt = 24;

/** Opcodes of classic BPF: load a word, jump if equal, return (include/uapi/linux/bpf_common.h). */
const LOAD = 0x20;
const JUMP_IF_EQUAL = 0x15;
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
/** SECCOMP_RET_ERRNO with EPERM. */
const REFUSE = 0x00050001;

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, k: number];

/**
 * Keeps a command from typing on a terminal that it shares with its caller: what it typed would be read, and run, by
 * the shell in which the caller was started. Terminals of a command's own need no such thing. Nothing is refused on
 * architectures that are not listed here. Throws KernelError.
 */
export function denyTyping(): void {
  const known = tables[process.arch];
  if (known !== undefined) sys.filterSyscalls(encode(typingFilter(known)));
}

/** The program: for each architecture, whether the call is an ioctl; then whether it is one of the two requests. */
export function typingFilter(known: readonly SyscallTable[]): Instruction[] {
  const judge: readonly Instruction[] = [
    [LOAD, 0, 0, requestAt],
    [JUMP_IF_EQUAL, 2, 0, TIOCSTI],
    [JUMP_IF_EQUAL, 1, 0, TIOCLINUX],
    [RETURN, 0, 0, ALLOW],
    [RETURN, 0, 0, REFUSE],
  ];
  let program: readonly Instruction[] = [[RETURN, 0, 0, ALLOW], ...judge];
  for (const { arch, ioctl } of known.toReversed()) {
    // `program` begins with what happens to a call of another architecture; `judge` is its end.
    const toJudge = program.length - judge.length;
    const numbers = ioctl.map(
      (number, i): Instruction => [JUMP_IF_EQUAL, ioctl.length - i + toJudge, 0, number],
    );
    const own: readonly Instruction[] = [[LOAD, 0, 0, numberAt], ...numbers, [RETURN, 0, 0, ALLOW]];
    program = [[LOAD, 0, 0, archAt], [JUMP_IF_EQUAL, 0, own.length, arch], ...own, ...program];
  }
  return [...program];
}

function encode(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(8 * program.length);
  for (const [i, [code, ifTrue, ifFalse, k]] of program.entries()) {
    bytes.writeUInt16LE(code, 8 * i);
    bytes.writeUInt8(ifTrue, 8 * i + 2);
    bytes.writeUInt8(ifFalse, 8 * i + 3);
    bytes.writeUInt32LE(k, 8 * i + 4);
  }
  return bytes;
}
