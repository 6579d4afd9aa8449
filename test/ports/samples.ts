import fc from "fast-check";
import { addressFromBytes, type IpAddress, isLinkLocal, parseAddress } from "../../src/core/index.ts";
import { type HostPort, type PortSpec, parsePortSpec, portProtocols } from "../../src/ports/index.ts";

/** Canonical addresses. */
export function addresses(...texts: readonly string[]): readonly IpAddress[] {
  return texts.map(parseAddress);
}

/** The only spec that a text stands for. */
export function specOf(text: string): PortSpec {
  const [spec, ...more] = parsePortSpec(text);
  if (spec === undefined || more.length > 0) throw new Error(`${text} is not one port`);
  return spec;
}

/** Reads `0.0.0.0:80/tcp`. */
export function hostPortOf(text: string): HostPort {
  const { protocol, hostAddress, hostPorts } = specOf(`${text.replace("/", ":1/")}`);
  if (hostAddress === undefined || hostPorts === undefined) throw new Error(`${text} is no host port`);
  return { protocol, hostAddress, hostPort: hostPorts.first };
}

export const anyPort = fc.integer({ min: 1, max: 65_535 });
export const anyProtocol = fc.constantFrom(...portProtocols);

/** An address that a port can be published on. */
export const anyHostAddress = fc
  .oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
  .map(addressFromBytes)
  .filter((address) => !address.startsWith("::ffff:") && !(address.includes(":") && isLinkLocal(address)));

/** Any spec that the grammar can say. */
export const anySpec: fc.Arbitrary<PortSpec> = fc
  .record(
    {
      protocol: anyProtocol,
      port: anyPort,
      hostAddress: anyHostAddress,
      hostPorts: fc
        .tuple(anyPort, anyPort)
        .map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) })),
    },
    { requiredKeys: ["protocol", "port"] },
  )
  .map((spec) => ({ ...spec })); // its prototype is null otherwise;
