import type { Id } from "../core/index.ts";
import type { PortBinding } from "../ports/index.ts";
import { connectSandbox } from "./connect-operations.ts";
import type { Context } from "./context.ts";
import { Endpoint } from "./endpoint.ts";
import type { EndpointOptions } from "./endpoint-operations.ts";
import { type JoinOptions, sandboxOf } from "./join-operations.ts";
import { bindingsInForce } from "./lost-ports.ts";
import type { SandboxRecord } from "./records.ts";
import { deleteSandbox } from "./sandbox-operations.ts";

/** A file of a sandbox and where a container expects it. */
export interface SandboxFile {
  /** The file as weft writes it, always in place. */
  readonly source: string;
  readonly target: "/etc/hosts" | "/etc/resolv.conf" | "/etc/hostname";
}

/** A sandbox: the network namespace and the files of one container. A handle, as Network is. */
export class Sandbox {
  readonly id: Id;
  readonly containerId: string;
  /** The path of the sandbox's network namespace. */
  readonly key: string;
  /** Its hosts, resolv.conf and hostname files, for whoever sets up the container's root. */
  readonly files: readonly SandboxFile[];
  readonly #context: Context;

  constructor(context: Context, { id, containerId, hostNetns }: SandboxRecord, hostNetnsPath: string) {
    this.#context = context;
    this.id = id;
    this.containerId = containerId;
    this.key = hostNetns ? hostNetnsPath : context.paths.netns(id);
    this.files = (["hosts", "resolv.conf", "hostname"] as const).map((name) => ({
      source: context.paths.file(id, name),
      target: `/etc/${name}` as const,
    }));
  }

  /** What the sandbox is. Throws SANDBOX_NOT_FOUND. */
  info(): SandboxRecord {
    return sandboxOf(this.#context, this.id);
  }

  /** Makes an endpoint of `network` and puts it in here, in one step; its name is the container's without another. */
  async connect(
    network: { readonly id: Id },
    options: EndpointOptions & JoinOptions & { readonly name?: string } = {},
  ): Promise<Endpoint> {
    const name = options.name ?? this.containerId;
    const record = await this.#context.operations.run(
      () => connectSandbox(this.#context, { network: network.id, sandbox: this.id, name, options }),
      "sandbox connect",
    );
    return new Endpoint(this.#context, record);
  }

  /** The endpoints in the sandbox, in the order in which they joined. */
  endpoints(): readonly Endpoint[] {
    return this.#context.tables.endpointsIn(this.id).map((record) => new Endpoint(this.#context, record));
  }

  /** The ports of the host that lead to the sandbox now; see {@link SandboxOptions.ports}. Throws SANDBOX_NOT_FOUND. */
  ports(): readonly PortBinding[] {
    return bindingsInForce(this.#context.lostPorts, this.info());
  }

  /** Deletes the sandbox with its endpoints; see {@link deleteSandbox}. */
  async delete(): Promise<void> {
    await this.#context.operations.run(() => deleteSandbox(this.#context, this.id), "sandbox delete");
  }
}
