import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isWeftError } from "../../src/core/index.ts";
import {
  formatPortSpec,
  type PortSpec,
  parseExposed,
  parsePortSpec,
  parsePortSpecs,
} from "../../src/ports/index.ts";
import { anyPort, anySpec } from "./samples.ts";

test("what Docker's users write means what it means to Docker", () => {
  const meanings: readonly (readonly [string, readonly string[]])[] = [
    ["80", ["80/tcp"]],
    ["80/", ["80/tcp"]],
    ["80/UDP", ["80/udp"]],
    ["8080:80", ["8080:80/tcp"]],
    ["8080:80/sctp", ["8080:80/sctp"]],
    [":80", ["80/tcp"]],
    ["::80", ["80/tcp"]],
    ["0:80", ["80/tcp"]],
    ["080:0080", ["80:80/tcp"]],
    ["127.0.0.1:8080:80", ["127.0.0.1:8080:80/tcp"]],
    ["127.0.0.1::80", ["127.0.0.1::80/tcp"]],
    ["127.0.0.1:0:80", ["127.0.0.1::80/tcp"]],
    ["[::1]:8080:80/udp", ["[::1]:8080:80/udp"]],
    ["[2001:DB8:0::1]::80", ["[2001:db8::1]::80/tcp"]],
    ["0.0.0.0:80:80", ["0.0.0.0:80:80/tcp"]],
    ["8000-8002:80", ["8000-8002:80/tcp"]],
    ["8000-8002:80-80", ["8000-8002:80/tcp"]],
    ["8000-8002:90-92", ["8000:90/tcp", "8001:91/tcp", "8002:92/tcp"]],
    ["80-82/udp", ["80/udp", "81/udp", "82/udp"]],
    ["[::]::80-81", ["[::]::80/tcp", "[::]::81/tcp"]],
    ["65535:65535", ["65535:65535/tcp"]],
  ];
  for (const [text, expected] of meanings)
    assert.deepEqual(parsePortSpec(text).map(formatPortSpec), expected, text);
});

test("what is no port to publish is refused, with Docker's words and what would be right", () => {
  const refusals: readonly (readonly [string, RegExp])[] = [
    ["", /no port specified: /],
    ["80:", /no port specified: 80:/],
    ["127.0.0.1:80:", /no port specified/],
    ["0", /invalid containerPort: 0: ports go from 1 to 65535/],
    ["80:65536", /invalid containerPort: 65536/],
    ["80-65536", /invalid containerPort: 80-65536/],
    ["web", /invalid containerPort: "web"/],
    ["+80", /invalid containerPort/],
    ["8 0", /invalid containerPort/],
    ["80-", /invalid containerPort/],
    ["-80", /invalid containerPort/],
    ["80-90-100", /invalid containerPort/],
    ["90-80", /invalid range specified for port: 90-80/],
    ["65536:80", /invalid hostPort: 65536/],
    ["0-5:80", /invalid hostPort: 0-5/],
    ["x:80", /invalid hostPort: "x"/],
    ["9-8:80", /invalid hostPort: invalid range specified for port: 9-8/],
    ["80/icmp", /invalid proto: icmp .*use tcp, udp or sctp/],
    ["80/tcp/udp", /invalid proto: tcp\/udp/],
    ["8000-8010:80-81", /invalid ranges specified for container and host Ports: 80-81 and 8000-8010/],
    ["8000:80-81", /invalid ranges specified for container and host Ports: 80-81 and 8000/],
    ["0:80-81", /invalid ranges specified for container and host Ports: 80-81 and 0/],
    ["localhost:80:80", /invalid IP address: localhost .*no name/],
    ["1.2.3:80:80", /invalid IP address: 1\.2\.3/],
    ["01.2.3.4:80:80", /invalid IP address: 01\.2\.3\.4/],
    ["::1:80:80", /invalid IP address: ::1 .*put IPv6 in brackets, \[::1\]/],
    ["2001:db8::1:80", /put IPv6 in brackets/],
    ["[127.0.0.1]:80:80", /IPv6 stands in brackets, IPv4 does not/],
    ["[::1]:80", /use \[address\]:hostPort:port or \[address\]::port$/],
    ["[::1]80:80", /use \[address\]/],
    ["[::1]:1:2:3", /use \[address\]/],
    ["[::1", /use \[address\]/],
    ["[]:80:80", /use \[address\]/],
    ["[::ffff:1.2.3.4]:80:80", /write an IPv4 address as such/],
    ["[fe80::1]:80:80", /link-local/],
    ["[fe80::1%eth0]:80:80", /invalid IP address/],
  ];
  for (const [text, words] of refusals) {
    const refused = (error: unknown) => isWeftError(error, "INVALID_PORT") && words.test(error.message);
    assert.throws(() => parsePortSpec(text), refused, text);
  }
});

test("every spec is read back from its text", () => {
  fc.assert(
    fc.property(anySpec, (spec) => {
      assert.deepEqual(parsePortSpec(formatPortSpec(spec)), [spec]);
    }),
  );
});

test("a range of the sandbox gives one spec a port, in order, one to one with the host's", () => {
  const ranges = fc.tuple(anyPort, anyPort, fc.nat({ max: 300 }));
  fc.assert(
    fc.property(ranges, ([inside, outside, more]) => {
      const length = Math.min(more, 65_535 - Math.max(inside, outside));
      const text = `${outside}-${outside + length}:${inside}-${inside + length}/udp`;
      const expected = Array.from({ length: length + 1 }, (_, i): PortSpec => {
        const hostPorts = { first: outside + i, last: outside + i };
        return { protocol: "udp", port: inside + i, hostPorts };
      });
      assert.deepEqual(parsePortSpec(text), expected);
    }),
  );
});

test("no text does anything but mean something or be refused", () => {
  const text = fc.string({ unit: fc.constantFrom(..."0189:-/[].%tcpudx"), maxLength: 24 });
  fc.assert(
    fc.property(text, (written) => {
      try {
        for (const spec of parsePortSpec(written)) {
          assert.ok(spec.port >= 1 && spec.port <= 65_535);
          assert.deepEqual(parsePortSpec(formatPortSpec(spec)), [spec]);
        }
      } catch (error) {
        if (!isWeftError(error, "INVALID_PORT")) throw error;
      }
    }),
    { numRuns: 2000 },
  );
});

test("what is asked for twice is asked for once; another host port for the same port is another", () => {
  const texts = ["80:80", "80:80/tcp", "81:80", "80", "80/tcp", "79-80:79-80", "0.0.0.0:80:80"];
  assert.deepEqual(parsePortSpecs(texts).map(formatPortSpec), [
    "80:80/tcp",
    "81:80/tcp",
    "80/tcp",
    "79:79/tcp",
    "0.0.0.0:80:80/tcp",
  ]);
});

test("exposed ports are ports of the sandbox alone", () => {
  assert.deepEqual(parseExposed("8080"), [{ protocol: "tcp", port: 8080 }]);
  assert.deepEqual(
    parseExposed("80-82/udp").map(({ protocol, port }) => `${port}/${protocol}`),
    ["80/udp", "81/udp", "82/udp"],
  );
  for (const text of ["", "0", "80:80", "x", "80/x", "2-1"])
    assert.throws(
      () => parseExposed(text),
      (error) => isWeftError(error, "INVALID_PORT"),
      text,
    );
});
