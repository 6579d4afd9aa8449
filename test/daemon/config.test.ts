import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { defaultConfig, parseConfig, readConfig } from "../../src/daemon/config.ts";
import { controllerOptions, predefinedNetworks } from "../../src/daemon/controller-config.ts";

suite("the daemon's configuration", () => {
  test("a file with Docker's keys is read", () => {
    const config = parseConfig(
      JSON.stringify({
        "default-address-pools": [{ base: "10.200.0.0/16", size: 24 }],
        bip: "172.30.0.1/24",
        "fixed-cidr": "172.30.0.128/25",
        mtu: 1400,
        dns: ["192.0.2.53"],
        icc: false,
        "log-level": "debug",
      }),
      "file",
    );
    assert.deepEqual(controllerOptions(config).defaultAddressPools, [{ base: "10.200.0.0/16", size: 24 }]);
    assert.deepEqual(predefinedNetworks(config), {
      bridge: {
        bip: "172.30.0.1/24",
        "fixed-cidr": "172.30.0.128/25",
        mtu: 1400,
        icc: false,
        ipv6: false,
        "ip-masq": true,
      },
    });
  });

  test("the network bridge may be left out", () => {
    assert.deepEqual(predefinedNetworks({ ...defaultConfig, bridge: "none" }), { bridge: "none" });
  });

  const refused: readonly (readonly [why: string, text: string, words: RegExp])[] = [
    ["no JSON", "{", /^file is no JSON: /],
    ["no object", "[]", /^file: .*expected object/],
    ["an unknown key", '{"iptables": true}', /^file: unknown key "iptables"$/],
    ["an unknown key below", '{"log-opts": {"tag": "x"}}', /^file: unknown key "tag" in log-opts$/],
    ["an address that is none", '{"dns": ["8.8.8"]}', /^file: dns\.0: it should be an IPv4 or IPv6 address$/],
    ["a prefix that is none", '{"fixed-cidr": "10.0.0.1/8"}', /^file: fixed-cidr: it should be a prefix/],
    [
      "a bridge without a length",
      '{"bip": "172.30.0.1"}',
      /^file: bip: it should be an address with its prefix/,
    ],
    [
      "a pool without a size",
      '{"default-address-pools": [{"base": "10.0.0.0/8"}]}',
      /default-address-pools\.0\.size/,
    ],
    ["a log level", '{"log-level": "loud"}', /^file: log-level: /],
    [
      "metrics for everybody",
      '{"metrics-addr": "0.0.0.0:9323"}',
      /metrics-addr: it should be 127\.0\.0\.1:PORT/,
    ],
    ["a size in words", '{"log-opts": {"max-size": "ten"}}', /log-opts\.max-size: it should be bytes/],
  ];
  for (const [why, text, words] of refused)
    test(`refused: ${why}`, () =>
      assert.throws(() => parseConfig(text, "file"), { code: "INVALID_CONFIG", message: words }));

  test("a file that is not there is named", () => {
    assert.throws(() => readConfig("/nowhere/weft.json"), {
      code: "INVALID_CONFIG",
      message: /cannot read \/nowhere\/weft\.json: ENOENT/,
    });
  });
});
