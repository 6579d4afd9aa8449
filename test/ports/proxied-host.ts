import { parseAddress } from "../../src/core/index.ts";
import { HostPorts, LinuxPortSockets, type PortBinding, type PortProxy } from "../../src/ports/index.ts";
import { type TestNetns, withNetns } from "../netns-fixture.ts";
import { addresses, specOf } from "./samples.ts";

/** The sandbox's only address, which is IPv4. */
export const sandboxAddress = "10.9.0.2";

/** A host with several addresses, its ports, and a sandbox behind a link. */
export interface ProxiedHost {
  readonly host: TestNetns;
  readonly sandbox: TestNetns;
  readonly ports: HostPorts;
  /** Reserves ports on 0.0.0.0 and ::, each by one socket, and says how to proxy them to the sandbox. */
  publish(...specs: readonly string[]): readonly PortProxy[];
}

/** Runs `work` with such a host, and releases the ports at its end. */
export async function withProxiedHost(work: (given: ProxiedHost) => Promise<void>): Promise<void> {
  await withNetns(["host", "sandbox"], async ({ host, sandbox }) => {
    host.exec("ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns", sandbox.path);
    for (const [ns, link, address] of [
      [host, "v0", "10.9.0.1/24"],
      [sandbox, "v1", `${sandboxAddress}/24`],
    ] as const) {
      ns.exec("ip", "link", "set", "lo", "up");
      ns.exec("ip", "address", "add", address, "dev", link);
      ns.exec("ip", "link", "set", link, "up");
    }
    for (const address of ["192.0.2.1/32", "192.0.2.2/32", "2001:db8::1/128", "2001:db8::2/128"])
      host.exec("ip", "address", "add", address, "dev", "lo", ...(address.includes(":") ? ["nodad"] : []));
    const settings = () => ({ range: { first: 40_000, last: 49_999 }, reserved: [] });
    const ports = new HostPorts({ sockets: new LinuxPortSockets(host.path), settings });
    const publish = (...texts: readonly string[]) => {
      const hostAddresses = addresses("0.0.0.0", "::");
      const bindings = ports.allocate(
        "owner",
        texts.map((text) => ({ spec: specOf(text), hostAddresses })),
      );
      return bindings
        .filter(({ hostAddress }) => hostAddress === "0.0.0.0")
        .map((binding) => proxyOf(ports, binding));
    };
    try {
      await work({ host, sandbox, ports, publish });
    } finally {
      ports.close();
    }
  });
}

function proxyOf(ports: HostPorts, binding: PortBinding): PortProxy {
  const { protocol, hostAddress, hostPort, port } = binding;
  const fd = ports.keeperOf("owner", binding).fd;
  if (protocol === "sctp" || fd === undefined) throw new Error("only tcp and udp are proxied");
  const id = `${hostAddress} ${hostPort} ${protocol}`;
  return { id, protocol, fd, target: parseAddress(sandboxAddress), targetPort: port };
}
