import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ChangeRequest, changes } from "../../../src/api/client/index.ts";
import { dispatch } from "../../../src/api/index.ts";
import { WeftError } from "../../../src/core/index.ts";
import { fakeService } from "../fake-service.ts";

describe("a request in memory", () => {
  it("is checked and answered as on the socket", async () => {
    const { service, calls } = fakeService();
    assert.deepEqual(await dispatch(service, changes.createSandbox({ Name: "db" }, { start: true })), {
      Status: 201,
      Answer: { Id: "1f".repeat(32), Warnings: ["slow"] },
    });
    assert.deepEqual(await dispatch(service, changes.removeSandbox("a/b", { force: true })), {
      Status: 204,
      Answer: null,
    });
    assert.deepEqual(
      calls.map(([method, , options]) => [method, options]),
      [
        ["createSandbox", { start: true }],
        ["removeSandbox", { force: true }],
      ],
    );
    assert.equal(calls[1]?.[1], "a/b");
  });

  it("is refused in the same words", async () => {
    const { service, calls } = fakeService();
    assert.deepEqual(await dispatch(service, { Method: "POST", Path: "/v1/networks", Body: { Name: 7 } }), {
      Status: 400,
      Answer: {
        code: "INVALID_REQUEST",
        message: "invalid request: Name: expected a text, not 7",
        details: { fields: { Name: "expected a text, not 7" } },
      },
    });
    assert.deepEqual(calls, []);
  });

  it("is told what the service refuses", async () => {
    const { service } = fakeService({
      removeNetwork: () => Promise.reject(new WeftError("NETWORK_NOT_FOUND", "network web not found")),
    });
    assert.deepEqual(await dispatch(service, changes.removeNetwork("web")), {
      Status: 404,
      Answer: { code: "NETWORK_NOT_FOUND", message: "network web not found" },
    });
  });

  const refused: readonly (readonly [ChangeRequest, number, string])[] = [
    [
      { Method: "POST", Path: "/v1/plan", Body: { Method: "POST", Path: "/v1/plan" } },
      400,
      "POST /v1/plan changes nothing that could be planned",
    ],
    [
      { Method: "POST", Path: "/v1/sandboxes/db/wait" },
      400,
      "POST /v1/sandboxes/{sandbox}/wait changes nothing that could be planned",
    ],
    [
      { Method: "POST", Path: "/v1/sandboxes/db/start", Body: {} },
      400,
      "invalid request: body: POST /v1/sandboxes/{sandbox}/start takes none",
    ],
    [{ Method: "POST", Path: "/v1/networks" }, 400, "invalid request: body: missing; expected an object"],
    [
      { Method: "POST", Path: "v1/networks" },
      400,
      'invalid request: Path: expected a path that begins with "/"',
    ],
    [{ Method: "POST", Path: "" }, 400, 'invalid request: Path: expected a path that begins with "/"'],
    [{ Method: "POST", Path: "//[" }, 404, 'no such path "//[": GET /v1/openapi.json lists those there are'],
    [
      { Method: "PUT", Path: "/v1/networks/web" },
      405,
      "/v1/networks/web cannot be asked for with PUT: it takes GET, DELETE",
    ],
  ];
  for (const [request, status, message] of refused)
    it(`${request.Method} ${request.Path} is refused`, async () => {
      const { service, calls } = fakeService();
      const { Status, Answer } = await dispatch(service, request);
      assert.deepEqual([Status, (Answer as { message: string }).message], [status, message]); // an ErrorBody
      assert.deepEqual(calls, []);
    });
});
