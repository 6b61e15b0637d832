import t from "tap";
import { payloadKind, type PayloadKind } from "../../src/wire/sctp/payload-protocol.ts";

void t.test("the payload protocol identifier of a message, in network order", (t) => {
  const rows: readonly (readonly [identifier: number, what: string, kind: PayloadKind])[] = [
    [3, "M3UA", "m3ua"],
    [0, "unspecified (RFC 9260 section 3.3.1)", "unspecified"],
    [0x0300_0000, "M3UA in the octet order of the sender", "host-order"],
    [1, "IUA", "foreign"],
    [2, "M2UA", "foreign"],
    [4, "SUA", "foreign"],
    [5, "M2PA", "foreign"],
    [0x0003_0000, "3 in another place", "foreign"],
    [0x0000_0300, "3 in another place", "foreign"],
    [0x0200_0000, "M2UA in host order", "foreign"],
    [0x0300_0003, "3 twice", "foreign"],
    [0xffff_ffff, "the last one", "foreign"],
  ];
  for (const [identifier, what, kind] of rows)
    t.equal(payloadKind(identifier), kind, `${identifier}: ${what}`);
  t.end();
});
