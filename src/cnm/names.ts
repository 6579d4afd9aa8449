import { WeftError } from "../core/index.ts";

/** Bytes of the longest name. */
const maxNameLength = 128;
const nameText = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

/** Checks the name of a network, endpoint or container; `what` says in the message which. Throws INVALID_NAME. */
export function checkName(what: string, name: string): void {
  if (name.trim() === "") throw new WeftError("INVALID_NAME", `invalid ${what} name: name is empty`);
  if (name.length > maxNameLength) {
    throw new WeftError(
      "INVALID_NAME",
      `invalid ${what} name of ${name.length} characters: it should have at most ${maxNameLength}`,
    );
  }
  if (!nameText.test(name)) {
    throw new WeftError(
      "INVALID_NAME",
      `invalid ${what} name ${JSON.stringify(name)}: it should be letters, digits, and _ . - after the first`,
    );
  }
}

const hostnameText = /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*$/;

/** Checks a host or domain name (RFC 1123 §2.1, with underscores); the kernel takes 64 bytes. Throws INVALID_NAME. */
export function checkHostname(what: string, name: string): void {
  if (name === "" || (name.length <= 64 && hostnameText.test(name))) return;
  throw new WeftError(
    "INVALID_NAME",
    `invalid ${what} ${JSON.stringify(name)}: it should be at most 64 letters, digits, hyphens and dots`,
  );
}

/** Linux cuts an interface's name at 15 bytes (IFNAMSIZ - 1). */
const interfaceNameLength = 15;

/** Checks the whole name that an interface is to have in a sandbox. Throws INVALID_NAME. */
export function checkInterfaceName(name: string): void {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/.test(name)) return;
  throw new WeftError(
    "INVALID_NAME",
    `invalid interface name ${JSON.stringify(name)}: it should be 1 to ${interfaceNameLength} letters, digits and _ . -`,
  );
}

/** Checks a word of a resolv.conf line, which blanks and line ends would make several of. Throws INVALID_OPTION. */
export function checkResolverWord(what: string, word: string): void {
  if (/^[\x21-\x7e]{1,255}$/.test(word)) return;
  throw new WeftError(
    "INVALID_OPTION",
    `invalid ${what} ${JSON.stringify(word)}: it should be 1 to 255 printable characters without blanks`,
  );
}

/** The first free name of `prefix` with a number: eth0, eth1. */
export function freeInterfaceName(prefix: string, taken: ReadonlySet<string>): string {
  for (let i = 0; ; i++) {
    const name = `${prefix}${i}`;
    if (name.length > interfaceNameLength) {
      throw new WeftError(
        "INTERFACE_NAME_IN_USE",
        `no interface name beginning with ${prefix} is free in the sandbox`,
      );
    }
    if (!taken.has(name)) return name;
  }
}
