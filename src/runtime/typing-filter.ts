import { type BpfInstruction, bpf, encodeBpf } from "../kernel/classic-bpf.ts";
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

/** SECCOMP_RET_ALLOW of include/uapi/linux/seccomp.h. */
const ALLOW = 0x7fff0000;
/** SECCOMP_RET_ERRNO with EPERM. */
const REFUSE = 0x00050001;

/**
 * Keeps a command from typing on a terminal that it shares with its caller: what it typed would be read, and run, by
 * the shell in which the caller was started. Terminals of a command's own need no such thing. Nothing is refused on
 * architectures that are not listed here. Throws KernelError.
 */
export function denyTyping(): void {
  const known = tables[process.arch];
  if (known !== undefined) sys.filterSyscalls(encodeBpf(typingFilter(known)));
}

/** The program: for each architecture, whether the call is an ioctl; then whether it is one of the two requests. */
export function typingFilter(known: readonly SyscallTable[]): BpfInstruction[] {
  const judge: readonly BpfInstruction[] = [
    [bpf.loadWord, 0, 0, requestAt],
    [bpf.jumpIfEqual, 2, 0, TIOCSTI],
    [bpf.jumpIfEqual, 1, 0, TIOCLINUX],
    [bpf.return, 0, 0, ALLOW],
    [bpf.return, 0, 0, REFUSE],
  ];
  let program: readonly BpfInstruction[] = [[bpf.return, 0, 0, ALLOW], ...judge];
  for (const { arch, ioctl } of known.toReversed()) {
    // `program` begins with what happens to a call of another architecture; `judge` is its end.
    const toJudge = program.length - judge.length;
    const numbers = ioctl.map(
      (number, i): BpfInstruction => [bpf.jumpIfEqual, ioctl.length - i + toJudge, 0, number],
    );
    const own: readonly BpfInstruction[] = [
      [bpf.loadWord, 0, 0, numberAt],
      ...numbers,
      [bpf.return, 0, 0, ALLOW],
    ];
    program = [[bpf.loadWord, 0, 0, archAt], [bpf.jumpIfEqual, 0, own.length, arch], ...own, ...program];
  }
  return [...program];
}
