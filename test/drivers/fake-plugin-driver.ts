import { addressPart, type Id, parseInterfaceAddress, parseMac } from "../../src/core/index.ts";
import {
  type DriverEndpoint,
  type DriverNetwork,
  type EndpointAnswer,
  ImperativeDriver,
  type JoinAnswer,
  type NetworkAnswer,
} from "../../src/drivers/index.ts";
import type { HostHand } from "../cnm/host-hand.ts";

/** The verbs that a plugin does work at. */
export type Verb =
  | "createNetwork"
  | "deleteNetwork"
  | "createEndpoint"
  | "deleteEndpoint"
  | "join"
  | "leave"
  | "programExternalConnectivity"
  | "revokeExternalConnectivity";

/** What a plugin may do instead of what it should. */
export type Misdeed =
  /** Throws before it does anything, as a call that never arrived. */
  | "throws"
  /** Does its work, and says that it failed. */
  | "rejects"
  /** Does its work, and answers only when the caller has given up. */
  | "hangs"
  /** Does its work, and answers something that makes no sense. */
  | "answers junk"
  | "changes the address"
  | "changes the MAC address"
  | "names no link"
  | "names a link that is not there";

/** The host's end of what the plugin makes for an endpoint. */
export function pluginLink(endpoint: Id): string {
  return `pg-${endpoint.slice(0, 8)}`;
}

/**
 * Behaves as a plugin in another process: it has a state of its own, makes a link in the host's
 * namespace, and can lie and fail. It outlives the controllers that call it.
 */
export class FakePluginDriver extends ImperativeDriver {
  readonly name = "plugin";
  /** Every call, in order. */
  readonly calls: string[] = [];
  /** What it holds now: `network n1`, `endpoint e1`, `joined e1`, `external e1`. */
  readonly state = new Set<string>();
  /** What goes wrong, and where; once. */
  misdeed: { readonly verb: Verb; readonly how: Misdeed } | undefined;
  /** Called when it hangs. */
  onHang: () => void = () => {};
  readonly #hand: HostHand;

  constructor(hand: HostHand) {
    super();
    this.#hand = hand;
  }

  createNetwork({ name }: Pick<DriverNetwork, "name">, _others: unknown, signal?: AbortSignal) {
    return this.#do<NetworkAnswer>("createNetwork", name, signal, () => {
      this.state.add(`network ${name}`);
      return { secret: `of ${name}` };
    });
  }

  deleteNetwork({ name }: Pick<DriverNetwork, "name">) {
    return this.#do("deleteNetwork", name, undefined, () => void this.state.delete(`network ${name}`));
  }

  createEndpoint(_network: DriverNetwork, endpoint: DriverEndpoint, signal?: AbortSignal) {
    return this.#do<EndpointAnswer>("createEndpoint", endpoint.name, signal, (how) => {
      this.state.add(`endpoint ${endpoint.name}`);
      if (how === "changes the MAC address") return { macAddress: parseMac("02:00:00:00:00:99") };
      if (how === "changes the address") return { addresses: [parseInterfaceAddress("10.66.66.66/24")] };
      return {};
    });
  }

  deleteEndpoint(_network: DriverNetwork, { name }: DriverEndpoint) {
    return this.#do("deleteEndpoint", name, undefined, () => void this.state.delete(`endpoint ${name}`));
  }

  join(network: DriverNetwork, { id, name }: DriverEndpoint, _sandbox: unknown, signal?: AbortSignal) {
    return this.#do<JoinAnswer>("join", name, signal, (how) => {
      this.state.add(`joined ${name}`);
      this.#hand.addVeth(pluginLink(id));
      const link = how === "names a link that is not there" ? "pg-nowhere" : pluginLink(id);
      return {
        ...(how === "names no link" ? {} : { link }),
        gateways: network.pools.flatMap(({ gateway }) =>
          gateway === undefined ? [] : [addressPart(gateway)],
        ),
        staticRoutes: [],
        disableGatewayService: false,
      };
    });
  }

  leave(_network: DriverNetwork, { id, name }: DriverEndpoint) {
    return this.#do("leave", name, undefined, () => {
      // It was given back before the driver was told.
      if (this.#hand.hasLink(pluginLink(id))) this.#hand.deleteLink(pluginLink(id));
      else if (this.state.has(`joined ${name}`)) this.calls.push(`the link of ${name} was not given back`);
      this.state.delete(`joined ${name}`);
    });
  }

  override programExternalConnectivity(_network: DriverNetwork, { name }: DriverEndpoint) {
    return this.#do(
      "programExternalConnectivity",
      name,
      undefined,
      () => void this.state.add(`external ${name}`),
    );
  }

  override revokeExternalConnectivity(_network: DriverNetwork, { name }: DriverEndpoint) {
    return this.#do(
      "revokeExternalConnectivity",
      name,
      undefined,
      () => void this.state.delete(`external ${name}`),
    );
  }

  /** Not async, so that `throws` is a throw and no rejection. */
  #do<T>(
    verb: Verb,
    what: string,
    signal: AbortSignal | undefined,
    work: (how: Misdeed | undefined) => T,
  ): Promise<T> {
    this.calls.push(`${verb} ${what}`);
    const how = this.misdeed?.verb === verb ? this.misdeed.how : undefined;
    if (how !== undefined) this.misdeed = undefined;
    if (how === "throws") throw new TypeError("the plugin is not there");
    const answer = work(how);
    if (how === "rejects") return Promise.reject(new Error("the plugin fell over"));
    // What a plugin answers over a wire has no type.
    if (how === "answers junk") return Promise.resolve("%%%" as T);
    return how === "hangs" ? this.#untilAborted(signal) : Promise.resolve(answer);
  }

  #untilAborted(signal: AbortSignal | undefined): Promise<never> {
    return new Promise((_resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason));
      this.onHang();
    });
  }
}
