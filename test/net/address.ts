import tap from "tap";
import {
  formatAddress,
  formatNetwork,
  parseAddress,
  parseEndpoint,
  parseNetwork,
} from "../../src/net/address.ts";

const addresses: readonly (readonly [text: string, canonical: string | undefined])[] = [
  ["192.0.2.1", "192.0.2.1"],
  ["0.0.0.0", "0.0.0.0"],
  ["255.255.255.255", "255.255.255.255"],
  ["192.0.2.256", undefined],
  ["192.0.2", undefined],
  ["192.0.2.1.5", undefined],
  ["192.0.02.1", undefined],
  ["192.0.2.", undefined],
  [" 192.0.2.1", undefined],
  ["0x7f.0.0.1", undefined],
  ["192.0.2.1%eth0", undefined],
  ["", undefined],
  ["localhost", undefined],
  ["::", "::"],
  ["::1", "::1"],
  ["1::", "1::"],
  ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["2001:0db8::0001", "2001:db8::1"],
  ["fe80::1%eth0", "fe80::1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::ffff:c000:201", "192.0.2.1"],
  ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
  ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
  ["1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"],
  ["1:2:3:4:5:6:7", undefined],
  ["1:2:3:4:5:6:7:8:9", undefined],
  ["1:2:3:4:5:6:7:8::", undefined],
  ["1::2::3", undefined],
  [":::", undefined],
  [":1", undefined],
  ["::12345", undefined],
  ["::g", undefined],
  ["1.2.3.4::", undefined],
  ["::1.2.3", undefined],
  ["[::1]", undefined],
];

void tap.test("addresses are read strictly and written canonically (RFC 4291, RFC 5952)", async (t) => {
  for (const [text, canonical] of addresses) {
    const address = parseAddress(text);
    t.equal(address === undefined ? undefined : formatAddress(address), canonical, JSON.stringify(text));
  }
});

const networks: readonly (readonly [text: string, canonical: string | RegExp])[] = [
  ["10.0.0.0/8", "10.0.0.0/8"],
  ["10.1.2.3", "10.1.2.3"],
  ["10.1.2.3/32", "10.1.2.3"],
  ["0.0.0.0/0", "0.0.0.0/0"],
  ["::/0", "::/0"],
  ["2001:db8::/32", "2001:db8::/32"],
  ["::ffff:10.0.0.0/104", "10.0.0.0/8"],
  ["::ffff:10.0.0.0/8", /prefix length from 96 to 128/],
  ["10.0.0.0/33", /prefix length from 0 to 32/],
  ["10.0.0.0/", /prefix length/],
  ["10.0.0.0/08", /prefix length/],
  ["10.0.0.0/8/8", /prefix length/],
  ["10.0.0.1/8", /did you mean "10\.0\.0\.0\/8"/],
  ["2001:db8::1/32", /did you mean "2001:db8::\/32"/],
  ["fe80::1%eth0/64", /is not an IP address/],
  ["example.com", /is not an IP address/],
];

void tap.test("networks", async (t) => {
  for (const [text, expected] of networks) {
    const network = parseNetwork(text);
    if (typeof expected === "string")
      t.equal(typeof network === "string" ? network : formatNetwork(network), expected, text);
    else t.match(network, expected, text);
  }
});

void tap.test("endpoints", async (t) => {
  const rows: readonly (readonly [text: string, expected: unknown, defaultPort?: number])[] = [
    ["127.0.0.1:5060", { address: "127.0.0.1", port: 5060 }],
    ["[::1]:5060", { address: "::1", port: 5060 }],
    ["[::ffff:127.0.0.1]:5060", { address: "127.0.0.1", port: 5060 }],
    ["127.0.0.1:0", { address: "127.0.0.1", port: 0 }],
    ["127.0.0.1", undefined],
    ["127.0.0.1", { address: "127.0.0.1", port: 5060 }, 5060],
    ["[::1]", { address: "::1", port: 5060 }, 5060],
    ["::1:5060", undefined],
    ["[127.0.0.1]:5060", undefined],
    ["[::1:5060", undefined],
    ["127.0.0.1:65536", undefined],
    ["127.0.0.1:", undefined, 5060],
    ["127.0.0.1:+1", undefined],
    ["127.0.0.1:5060 ", undefined],
    [":5060", undefined],
    ["localhost:5060", undefined],
    ["", undefined, 5060],
  ];
  for (const [text, expected, defaultPort] of rows)
    t.strictSame(parseEndpoint(text, defaultPort), expected, text);
});
