import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fakeService } from "../fake-service.ts";
import { allOf, ask, connectTo, withServer } from "../http-fixture.ts";

interface BadRequest {
  readonly request: readonly [method: string, target: string, body?: string | Buffer];
  readonly headers?: Readonly<Record<string, string>>;
  readonly status: number;
  readonly code: string;
  /** The end may be in the words of Node's JSON parser, which differ between versions. */
  readonly message: string;
}

const networkFields =
  "known are Name, Driver, EnableIPv4, EnableIPv6, Internal, Attachable, ConfigOnly, ConfigFrom, IPAM, Options, Labels";

/** INVALID_REQUEST, status 400: what most bad requests are. */
function invalid(request: BadRequest["request"], message: string): BadRequest {
  return { request, status: 400, code: "INVALID_REQUEST", message: `invalid request: ${message}` };
}

const badRequests: readonly BadRequest[] = [
  // Bodies.
  invalid(["POST", "/v1/networks", ""], "body: missing; expected a JSON object"),
  invalid(["POST", "/v1/networks", "{"], "body: expected JSON, "),
  invalid(["POST", "/v1/networks", Buffer.from([0x22, 0xff, 0x22])], "body: expected JSON, "),
  invalid(
    ["POST", "/v1/networks", '{"Name":"web","Labels":{"__proto__":"x"}}'],
    'body: expected JSON, without the key "__proto__"',
  ),
  invalid(["POST", "/v1/networks", "null"], "body: expected an object, not null"),
  invalid(["POST", "/v1/networks", "[]"], "body: expected an object, not a list"),
  invalid(["POST", "/v1/networks", '"web"'], 'body: expected an object, not "web"'),
  invalid(["POST", "/v1/networks", "[".repeat(1_000_000)], "body: expected JSON, "),
  invalid(["POST", "/v1/networks", "{}"], "Name: missing; expected a text"),
  invalid(["POST", "/v1/networks", '{"Name":7}'], "Name: expected a text, not 7"),
  invalid(["POST", "/v1/networks", '{"Name":null}'], "Name: expected a text, not null"),
  invalid(
    ["POST", "/v1/networks", '{"Name":"web","Internal":"yes"}'],
    'Internal: expected true or false, not "yes"',
  ),
  invalid(
    ["POST", "/v1/networks", '{"name":"web"}'],
    `Name: missing; expected a text; body: unknown field "name"; ${networkFields}`,
  ),
  invalid(
    ["POST", "/v1/networks", '{"Name":"web","IPAM":{"Config":[{"subnet":"10.0.0.0/8"}]}}'],
    'IPAM.Config[0]: unknown field "subnet"; known are Subnet, IPRange, Gateway, AuxiliaryAddresses',
  ),
  invalid(["POST", "/v1/networks", '{"Name":"web","Labels":{"a":1}}'], "Labels.a: expected a text, not 1"),
  invalid(
    ["POST", "/v1/networks", `{"Name":"web","Labels":{"a":${JSON.stringify(["x".repeat(100)])}}}`],
    "Labels.a: expected a text, not a list",
  ),
  invalid(
    ["POST", "/v1/networks", `{"Name":"web","Options":"${"x".repeat(100)}"}`],
    `Options: expected an object, not "${"x".repeat(59)}…`,
  ),
  invalid(["POST", "/v1/networks/web/connect", "{}"], "Sandbox: missing; expected a text"),
  invalid(
    ["POST", "/v1/networks/web/connect", '{"Sandbox":"db","GwPriority":1.5}'],
    "GwPriority: expected a whole number, not 1.5",
  ),
  invalid(
    ["POST", "/v1/networks/web/disconnect", '{"Sandbox":"db","Force":1}'],
    "Force: expected true or false, not 1",
  ),
  invalid(
    ["POST", "/v1/sandboxes", '{"Command":{"Args":[]}}'],
    "Command.Args: expected at least 1 item, not a list",
  ),
  invalid(
    ["POST", "/v1/sandboxes", '{"RestartPolicy":{"Name":"never"}}'],
    'RestartPolicy.Name: expected "no" or "on-failure" or "always" or "unless-stopped", not "never"',
  ),
  invalid(["POST", "/v1/sandboxes", '{"StopTimeout":-1}'], "StopTimeout: expected at least 0, not -1"),
  invalid(
    ["POST", "/v1/sandboxes", '{"LogConfig":{"MaxFile":101}}'],
    "LogConfig.MaxFile: expected at most 100, not 101",
  ),
  invalid(
    ["POST", "/v1/sandboxes", '{"Networks":[{"Network":"web"},{"Netwrk":"db"}]}'],
    'Networks[1].Network: missing; expected a text; Networks[1]: unknown field "Netwrk"; known are Network, ' +
      "Aliases, Links, IPv4Address, IPv6Address, LinkLocalIPs, MacAddress, GwPriority, DriverOpts",
  ),
  invalid(
    [
      "POST",
      "/v1/sandboxes",
      '{"Dns":1,"DnsSearch":1,"DnsOptions":1,"ExtraHosts":1,"Ports":1,"ExposedPorts":1}',
    ],
    "Dns: expected a list, not 1; DnsSearch: expected a list, not 1; DnsOptions: expected a list, not 1; " +
      "ExtraHosts: expected a list, not 1; Ports: expected a list, not 1; and 1 more",
  ),
  invalid(
    ["PUT", "/v1/sandboxes/db/process", '{"Pid":0,"StartTicks":1,"BootId":"b"}'],
    "Pid: expected more than 0, not 0",
  ),
  invalid(
    ["POST", "/v1/sandboxes/db/exit", '{"Process":{"Pid":7,"StartTicks":1,"BootId":"b"},"StatusCode":256}'],
    "StatusCode: expected at most 255, not 256",
  ),
  invalid(
    ["POST", "/v1/plan", '{"Method":"GET","Path":"/v1/networks"}'],
    'Method: expected "POST" or "DELETE" or "PUT", not "GET"',
  ),
  // Bodies where there should be none.
  invalid(
    ["POST", "/v1/sandboxes/db/stop", '{"Timeout":3}'],
    "body: POST /v1/sandboxes/{sandbox}/stop takes none",
  ),
  invalid(["GET", "/v1/networks", "{}"], "body: GET /v1/networks takes none"),
  invalid(["DELETE", "/v1/networks/web", "{}"], "body: DELETE /v1/networks/{network} takes none"),
  // Queries.
  invalid(["GET", "/v1/version?x"], 'query: unknown word "x"; there is none'),
  invalid(["DELETE", "/v1/networks/web?force=1"], 'query: unknown word "force"; there is none'),
  invalid(["GET", "/v1/sandboxes?al=1"], 'query: unknown word "al"; known are all, filters'),
  invalid(["GET", "/v1/sandboxes?__proto__=1"], 'query: unknown word "__proto__"; known are all, filters'),
  invalid(["GET", "/v1/sandboxes?all=yes"], 'all: expected true, 1, false or 0, not "yes"'),
  invalid(["GET", "/v1/sandboxes?all=1&all=0"], "all: given more than once"),
  ...["{", "[]", '{"driver":"bridge"}', '{"driver":[1]}', ""].map((filters) =>
    invalid(
      ["GET", `/v1/networks?filters=${encodeURIComponent(filters)}`],
      `filters: expected JSON of lists of texts, {"driver":["bridge"]}, not ${JSON.stringify(filters)}`,
    ),
  ),
  ...["-1", "1.5", "3s", "", "+1", "1e3", "9999999999"].map((timeout) =>
    invalid(
      ["POST", `/v1/sandboxes/db/stop?timeout=${encodeURIComponent(timeout)}`],
      `timeout: expected a whole number of at most 9 digits, not ${JSON.stringify(timeout)}`,
    ),
  ),
  invalid(
    ["GET", "/v1/sandboxes/db/logs?tail=-5"],
    'tail: expected a whole number of at most 9 digits, or all, not "-5"',
  ),
  invalid(["POST", "/v1/sandboxes/db/kill?signal="], 'signal: expected at least 1 character, not ""'),
  // Paths, methods and types.
  {
    request: ["GET", "/"],
    status: 404,
    code: "ROUTE_NOT_FOUND",
    message: 'no such path "/": GET /v1/openapi.json lists those there are',
  },
  {
    request: ["GET", "/v2/networks"],
    status: 404,
    code: "ROUTE_NOT_FOUND",
    message: 'no such path "/v2/networks": GET /v1/openapi.json lists those there are',
  },
  {
    request: ["DELETE", "/v1/networks/"],
    status: 404,
    code: "ROUTE_NOT_FOUND",
    message: 'no such path "/v1/networks/": GET /v1/openapi.json lists those there are',
  },
  {
    request: ["DELETE", "/v1/networks/../networks"],
    status: 405,
    code: "METHOD_NOT_ALLOWED",
    message: "/v1/networks cannot be asked for with DELETE: it takes POST, GET",
  },
  {
    request: ["PATCH", "/v1/networks/web", "{}"],
    status: 405,
    code: "METHOD_NOT_ALLOWED",
    message: "/v1/networks/web cannot be asked for with PATCH: it takes GET, DELETE",
  },
  {
    request: ["POST", "/v1/networks", "Name=web"],
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    status: 415,
    code: "UNSUPPORTED_MEDIA_TYPE",
    message: 'unsupported Content-Type "application/x-www-form-urlencoded": it should be application/json',
  },
  {
    request: ["POST", "/v1/networks", "{}"],
    headers: { "Content-Type": "application/json; charset=latin1" },
    status: 415,
    code: "UNSUPPORTED_MEDIA_TYPE",
    message: 'unsupported Content-Type "application/json; charset=latin1": it should be application/json',
  },
  {
    request: ["POST", "/v1/networks", `{"Name":"${"x".repeat(1_048_576)}"}`],
    status: 413,
    code: "BODY_TOO_LARGE",
    message: "the request's body is too large: at most 1048576 bytes are taken",
  },
];

describe("a bad request", () => {
  for (const { request, headers, status, code, message } of badRequests) {
    const [method, target, body] = request;
    it(`${method} ${target} ${String(body ?? "").slice(0, 80)} is refused, and nobody is asked`, async () => {
      const { service, calls } = fakeService();
      await withServer(service, async ({ socketPath, log }) => {
        const answer = await ask(socketPath, method, target, body, headers);
        const told = JSON.parse(answer.text);
        const words = message.endsWith("expected JSON, ")
          ? told.message.slice(0, message.length)
          : told.message;
        assert.deepEqual([answer.status, told.code, words], [status, code, message]);
        assert.deepEqual(calls, []);
        assert.deepEqual(
          log.map((line) => [line.level, line.fields.status]),
          [["debug", status]],
        );
      });
    });
  }

  it("has the methods there are in Allow", async () => {
    await withServer(fakeService().service, async ({ socketPath }) => {
      const { headers } = await ask(socketPath, "PUT", "/v1/sandboxes/db");
      assert.equal(headers.allow, "GET, DELETE");
      const head = await ask(socketPath, "HEAD", "/v1/events");
      assert.deepEqual([head.status, head.headers.allow], [405, "GET"]);
    });
  });

  it("has its faults by field in the details", async () => {
    await withServer(fakeService().service, async ({ socketPath }) => {
      const { text } = await ask(socketPath, "POST", "/v1/networks", '{"Name":1,"Driver":2}');
      assert.deepEqual(JSON.parse(text).details, {
        fields: { Name: "expected a text, not 1", Driver: "expected a text, not 2" },
      });
    });
  });

  for (const [what, text, status, code] of [
    ["is not HTTP", "hello\r\n\r\n", 400, "INVALID_REQUEST"],
    [
      "has no end of its length",
      "POST /v1/networks HTTP/1.1\r\nContent-Length: x\r\n\r\n",
      400,
      "INVALID_REQUEST",
    ],
    ["has a Host that is none", "GET /v1/_ping HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "INVALID_REQUEST"],
    ["has a path with a backslash", "GET /v1\\_ping HTTP/1.1\r\nHost: a\r\n\r\n", 400, "INVALID_REQUEST"],
    [
      "has too long headers",
      `GET /v1/_ping HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
      431,
      "HEADERS_TOO_LARGE",
    ],
  ] as const)
    it(`that ${what} is refused in JSON`, async () => {
      const { service, calls } = fakeService();
      await withServer(service, async ({ socketPath }) => {
        const socket = await connectTo(socketPath);
        socket.write(text);
        const answer = await allOf(socket);
        socket.destroy();
        assert.match(answer, new RegExp(`^HTTP/1.1 ${status} .*"code":"${code}"`, "s"));
        assert.deepEqual(calls, []);
      });
    });

  it("may lack a Host", async () => {
    await withServer(fakeService().service, async ({ socketPath }) => {
      const socket = await connectTo(socketPath);
      socket.write("GET /v1/_ping HTTP/1.0\r\n\r\n");
      assert.match(await allOf(socket), /^HTTP\/1\.1 200 OK.*OK$/s);
    });
  });
});
