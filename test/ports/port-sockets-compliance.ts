import assert from "node:assert/strict";
import type { OpenedPort, PortSockets } from "../../src/ports/index.ts";
import { hostPortOf } from "./samples.ts";

/** An address that the host under test must not have. */
export const missingAddress = "198.51.100.7";

/**
 * What both kinds of {@link PortSockets} must do alike, on a host that has 127.0.0.1, 192.0.2.1, ::1 and
 * 2001:db8::1 and nobody else's ports.
 */
export function checkPortSockets(sockets: PortSockets): void {
  for (const protocol of ["tcp", "udp"]) {
    for (const [first, others] of conflicts) {
      for (const [other, expected] of Object.entries(others)) {
        const pair = [`${first}:80/${protocol}`, `${other}:80/${protocol}`] as const;
        assert.deepEqual(openAll(sockets, ...pair), ["open", expected], pair.join(" and "));
        assert.deepEqual(openAll(sockets, ...[...pair].reverse()), ["open", expected], pair.join(" after "));
      }
    }
    assert.deepEqual(openAll(sockets, `192.0.2.1:80/${protocol}`, `192.0.2.1:81/${protocol}`), [
      "open",
      "open",
    ]);
    assert.deepEqual(openAll(sockets, `${missingAddress}:80/${protocol}`), ["no-address"]);
  }
  assert.deepEqual(openAll(sockets, "0.0.0.0:80/tcp", "0.0.0.0:80/udp"), ["open", "open"]);
  for (const protocol of ["tcp", "udp"] as const) checkBothFamilies(sockets, protocol);
}

/** By the address that is opened first, what becomes of another. */
const conflicts: readonly (readonly [string, Readonly<Record<string, OpenedPort["kind"]>>])[] = [
  [
    "0.0.0.0",
    { "0.0.0.0": "taken", "127.0.0.1": "taken", "192.0.2.1": "taken", "[::]": "open", "[::1]": "open" },
  ],
  ["127.0.0.1", { "127.0.0.1": "taken", "192.0.2.1": "open", "[::]": "open", "[2001:db8::1]": "open" }],
  ["[::]", { "[::]": "taken", "[::1]": "taken", "[2001:db8::1]": "taken" }],
  ["[::1]", { "[::1]": "taken", "[2001:db8::1]": "open" }],
];

/** A socket of both families is in the way of each address, and each address in its way. */
function checkBothFamilies(sockets: PortSockets, protocol: "tcp" | "udp"): void {
  const both = { protocol, hostPort: 80 };
  for (const address of ["0.0.0.0", "127.0.0.1", "[::]", "[2001:db8::1]"]) {
    const one = `${address}:80/${protocol}`;
    sockets.batch(2, () => {
      const fd = sockets.openBoth(both);
      assert.ok(fd !== undefined);
      assert.deepEqual(openAll(sockets, one), ["taken"]);
      assert.equal(sockets.openBoth(both), undefined);
      sockets.close(fd);
      const opened = sockets.open(hostPortOf(one));
      assert.ok(opened.kind === "open" && opened.fd !== undefined);
      assert.equal(sockets.openBoth(both), undefined, one);
      sockets.close(opened.fd);
    });
  }
}

/** Opens them in this order, says what came of each, and closes them. */
function openAll(sockets: PortSockets, ...texts: readonly string[]): readonly string[] {
  return sockets.batch(texts.length, () => {
    const opened = texts.map((text) => sockets.open(hostPortOf(text)));
    for (const one of opened) if (one.kind === "open" && one.fd !== undefined) sockets.close(one.fd);
    return opened.map(({ kind }) => kind);
  });
}
