import t from "tap";
import { readVia } from "../../src/sip/fields/via.ts";

void t.test("Via values", async (t) => {
  const rows: readonly (readonly [string, object | undefined])[] = [
    [
      "SIP/2.0/UDP a:5070;branch=z9hG4bK1;rport",
      {
        transport: "UDP",
        host: "a",
        port: 5070,
        sentBy: "a:5070",
        branch: "z9hG4bK1",
        rport: 0,
        received: undefined,
      },
    ],
    [
      "SIP / 2.0 / UDP first.example.com : 4000;ttl=16 ;branch=b",
      { host: "first.example.com", port: 4000, branch: "b" },
    ],
    [
      "SIP/2.0/UDP [2001:db8::1]:5060;received=2001:db8::2;rport=9",
      { host: "2001:db8::1", port: 5060, received: "2001:db8::2", rport: 9 },
    ],
    ["SIP/2.0/TCP a", { transport: "TCP", host: "a", port: 0, branch: "" }],
    ["SIP/2.0/UDP a;branch=x, SIP/2.0/UDP b;branch=y", { host: "a", branch: "x", end: 22 }],
    ['SIP/2.0/UDP a;x="p,q";branch=x,SIP/2.0/UDP b', { branch: "x" }],
    ["SIP/2.0/UDP a:port", undefined],
    ["SIP/2.0/UDP a:0", undefined],
    ["SIP/2.0/UDP", undefined],
    ["SIP/1.0/UDP a", undefined],
    ["SIP/2.0/UDP a b", undefined],
    ["SIP/2.0/TLS-SCTP a", { transport: "TLS-SCTP" }],
    // The transport is a token (RFC 3261 section 25.1): what looks like a parameter in its place is none.
    ["SIP/2.0/;branch= 192.0.2.1:5060;branch=z9hG4bK1", undefined],
    ["SIP/2.0/UDP;x a", undefined],
    ["SIP/2.0/UDP@a", undefined],
    ["SIP/2.0/UDP[2001:db8::1]", undefined],
    ["", undefined],
  ];
  for (const [value, wanted] of rows) {
    const via = readVia(value, 0);
    if (wanted === undefined) t.equal(via, undefined, value);
    else t.match(via, wanted, value);
  }
  const list = "SIP/2.0/UDP a;branch=x, SIP/2.0/UDP b;branch=y";
  t.match(
    readVia(list, (readVia(list, 0)?.end ?? 0) + 1),
    { host: "b", branch: "y" },
    "the next value of a list",
  );
});
