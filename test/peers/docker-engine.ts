import { DockerApi } from "./docker-api.ts";

/** What a container is made with; Docker's own names where they say enough. */
export interface ContainerOptions {
  readonly name: string;
  /** A network's name or id; the default bridge if not said, `none` for no network. */
  readonly network?: string;
  readonly aliases?: readonly string[];
  /** `sleep` for ever if not said. */
  readonly command?: readonly string[];
  /** Container port with protocol, and the host's: `{ "80/tcp": "8080" }`. The key of one that is not published has "". */
  readonly ports?: Readonly<Record<string, string>>;
}

/** A container that was made. */
export interface Container {
  readonly id: string;
  readonly name: string;
}

/** A network that is made; Docker's names. */
export interface NetworkOptions {
  readonly name: string;
  readonly driver?: string;
  readonly internal?: boolean;
  readonly ipv6?: boolean;
  readonly subnet?: string;
  readonly options?: Readonly<Record<string, string>>;
}

interface ContainerInspect {
  readonly State: { readonly Running: boolean; readonly Pid: number };
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>>;
  };
}

const image = "busybox";
const forever = ["sleep", "2147483647"];

/** What tests and benches ask of a Docker Engine. Throws DockerError with the engine's words. */
export class DockerEngine {
  readonly api: DockerApi;

  constructor(socketPath: string) {
    this.api = new DockerApi(socketPath);
  }

  /** `20.10.24+dfsg1`. */
  async version(): Promise<string> {
    return (await this.api.get<{ readonly Version: string }>("/version")).Version;
  }

  /** Makes an image of a root folder's archive, under the name that containers here are made of. */
  async importImage(tar: Uint8Array): Promise<void> {
    await this.api.upload(`/images/create?fromSrc=-&repo=${image}`, tar);
  }

  /** Gives its id. */
  async createNetwork({ name, driver, internal, ipv6, subnet, options }: NetworkOptions): Promise<string> {
    const { Id } = await this.api.post<{ readonly Id: string }>("/networks/create", {
      Name: name,
      CheckDuplicate: true,
      Driver: driver ?? "bridge",
      Internal: internal ?? false,
      EnableIPv6: ipv6 ?? false,
      Options: options ?? {},
      ...(subnet === undefined ? {} : { IPAM: { Config: [{ Subnet: subnet }] } }),
    });
    return Id;
  }

  deleteNetwork(network: string): Promise<void> {
    return this.api.delete(`/networks/${network}`);
  }

  /** Makes a container that is not started. */
  async createContainer(options: ContainerOptions): Promise<Container> {
    const { name, network, aliases, command = forever, ports = {} } = options;
    const bindings = Object.entries(ports).map(([port, hostPort]) => [port, [{ HostPort: hostPort }]]);
    const { Id } = await this.api.post<{ readonly Id: string }>(`/containers/create?name=${name}`, {
      Image: image,
      Cmd: command,
      ExposedPorts: Object.fromEntries(Object.keys(ports).map((port) => [port, {}])),
      HostConfig: {
        ...(network === undefined ? {} : { NetworkMode: network }),
        PortBindings: Object.fromEntries(bindings),
      },
      ...(network === undefined || aliases === undefined
        ? {}
        : { NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: aliases } } } }),
    });
    return { id: Id, name };
  }

  async start({ id }: Container): Promise<void> {
    await this.api.postForText(`/containers/${id}/start`);
  }

  /** Makes a container and starts it. */
  async run(options: ContainerOptions): Promise<Container> {
    const container = await this.createContainer(options);
    await this.start(container);
    return container;
  }

  /** Ends a container and removes it. */
  remove({ id }: Container): Promise<void> {
    return this.api.delete(`/containers/${id}?force=1&v=1`);
  }

  async connect(network: string, { id }: Container): Promise<void> {
    await this.api.postForText(`/networks/${network}/connect`, { Container: id });
  }

  async disconnect(network: string, { id }: Container): Promise<void> {
    await this.api.postForText(`/networks/${network}/disconnect`, { Container: id });
  }

  inspect({ id }: Container): Promise<ContainerInspect> {
    return this.api.get(`/containers/${id}/json`);
  }

  /** A container's IPv4 address on a network, by the network's name. Throws when it has none. */
  async address(container: Container, network: string): Promise<string> {
    const { NetworkSettings } = await this.inspect(container);
    const address = NetworkSettings.Networks[network]?.IPAddress ?? "";
    if (address === "") throw new Error(`${container.name} has no address on ${network}`);
    return address;
  }

  /** Runs a command in a running container and gives what it printed. Throws with that when it fails. */
  async exec({ id, name }: Container, ...command: readonly string[]): Promise<string> {
    const { Id } = await this.api.post<{ readonly Id: string }>(`/containers/${id}/exec`, {
      AttachStdout: true,
      AttachStderr: true,
      Tty: true, // what is printed then comes unframed
      Cmd: command,
    });
    const output = await this.api.postForText(`/exec/${Id}/start`, { Detach: false, Tty: true });
    const { ExitCode } = await this.api.get<{ readonly ExitCode: number }>(`/exec/${Id}/json`);
    if (ExitCode !== 0) throw new Error(`${command.join(" ")} in ${name}: ${ExitCode}: ${output.trim()}`);
    return output;
  }
}
