import {
  type Family,
  familyOf,
  isWeftError,
  messageOf,
  parseAddress,
  parseInterfaceAddress,
  parseMac,
  parsePrefix,
  WeftError,
} from "../core/index.ts";
import type { Driver, EndpointAnswer, JoinAnswer, NetworkAnswer, StaticRoute } from "../drivers/index.ts";

/**
 * Calls a driver. What it throws that is no error of weft's own becomes DRIVER_ANSWER, or ABORTED when
 * the caller gave up meanwhile, with the driver's own words.
 */
export async function callDriver<T>(
  { name }: Pick<Driver, "name">,
  verb: string,
  call: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (isWeftError(error)) throw error;
    if (signal?.aborted === true)
      throw new WeftError("ABORTED", `the request was given up while driver ${name} was at ${verb}`, {
        cause: error,
      });
    throw new WeftError("DRIVER_ANSWER", `driver ${name} failed at ${verb}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Checks what a driver answered to createNetwork: an object that JSON can carry. Throws DRIVER_ANSWER. */
export function checkedNetworkAnswer(driver: Pick<Driver, "name">, answer: unknown): NetworkAnswer {
  const refuse = refusal(driver, "createNetwork");
  if (!isRecord(answer)) throw refuse("an object", answer);
  return readJson(answer, refuse) as NetworkAnswer; // an object, as was just seen
}

/** Checks what a driver answered to createEndpoint. Throws DRIVER_ANSWER. */
export function checkedEndpointAnswer(driver: Pick<Driver, "name">, answer: unknown): EndpointAnswer {
  const refuse = refusal(driver, "createEndpoint");
  if (!isRecord(answer)) throw refuse("an object", answer);
  const { addresses, macAddress } = answer;
  return {
    ...(addresses === undefined
      ? {}
      : {
          addresses: list(addresses, "addresses", refuse).map((one) =>
            read(one, parseInterfaceAddress, refuse),
          ),
        }),
    ...(macAddress === undefined ? {} : { macAddress: read(macAddress, parseMac, refuse) }),
  };
}

/** Checks what a driver answered to join. Throws DRIVER_ANSWER. */
export function checkedJoinAnswer(driver: Pick<Driver, "name">, answer: unknown): JoinAnswer {
  const refuse = refusal(driver, "join");
  if (!isRecord(answer)) throw refuse("an object", answer);
  const { link, interfacePrefix, gateways = [], staticRoutes = [], disableGatewayService = false } = answer;
  const { defaultOnLink, advertised } = answer;
  const families = (given: unknown) => list(given, "families", refuse).map((one) => readFamily(one, refuse));
  if (typeof disableGatewayService !== "boolean") throw refuse("a boolean", disableGatewayService);
  return {
    link: link === undefined ? undefined : interfaceName(link, 15, refuse),
    interfacePrefix: interfacePrefix === undefined ? undefined : interfaceName(interfacePrefix, 13, refuse),
    gateways: list(gateways, "gateways", refuse).map((one) => read(one, parseAddress, refuse)),
    ...(defaultOnLink === undefined ? {} : { defaultOnLink: families(defaultOnLink) }),
    ...(advertised === undefined ? {} : { advertised: families(advertised) }),
    staticRoutes: list(staticRoutes, "static routes", refuse).map((one) => staticRoute(one, refuse)),
    disableGatewayService,
  };
}

type Refuse = (should: string, answered: unknown) => WeftError;

function refusal({ name }: Pick<Driver, "name">, verb: string): Refuse {
  return (should, answered) =>
    new WeftError(
      "DRIVER_ANSWER",
      `driver ${name} answered ${shown(answered)} to ${verb} where it should be ${should}`,
    );
}

function shown(value: unknown): string {
  const text = isRecord(value) || Array.isArray(value) ? asJson(value) : String(value);
  return text.length > 100 ? `${text.slice(0, 100)}...` : text;
}

function asJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return "something that JSON cannot carry";
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readJson(value: unknown, refuse: Refuse): unknown {
  try {
    const copy: unknown = JSON.parse(JSON.stringify(value));
    return copy;
  } catch {
    throw refuse("plain JSON", value);
  }
}

function list(value: unknown, what: string, refuse: Refuse): readonly unknown[] {
  if (!Array.isArray(value)) throw refuse(`a list of ${what}`, value);
  return value;
}

function read<T>(value: unknown, parse: (text: string) => T, refuse: Refuse): T {
  if (typeof value !== "string") throw refuse("text", value);
  try {
    return parse(value);
  } catch (error) {
    if (!isWeftError(error)) throw error;
    throw new WeftError("DRIVER_ANSWER", `${refuse("something else", value).message}: ${error.message}`, {
      cause: error,
    });
  }
}

function readFamily(value: unknown, refuse: Refuse): Family {
  if (value === 4 || value === 6) return value;
  throw refuse("a family, 4 or 6", value);
}

function interfaceName(value: unknown, most: number, refuse: Refuse): string {
  const fits = typeof value === "string" && /^[^\s/:]+$/u.test(value) && value !== "." && value !== "..";
  if (!fits || Buffer.byteLength(value) > most)
    throw refuse(`an interface name of 1 to ${most} bytes`, value);
  return value;
}

function staticRoute(value: unknown, refuse: Refuse): StaticRoute {
  if (!isRecord(value)) throw refuse("a static route", value);
  const destination = read(value.destination, parsePrefix, refuse);
  const gateway = value.gateway === undefined ? undefined : read(value.gateway, parseAddress, refuse);
  if (gateway !== undefined && familyOf(gateway) !== familyOf(destination))
    throw refuse("a static route by a gateway of its own family", value);
  return { destination, gateway };
}
