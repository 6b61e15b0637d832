import { Buffer } from "node:buffer";
import { readdirSync, readFileSync } from "node:fs";
import t from "tap";
import { createTestProxy, peers, request, respond } from "../support/proxy.ts";

/** A seeded generator (xorshift32): the same mutations in every run. */
function createRandom(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const pieces = [
  "\r\n",
  "\n",
  "\0",
  '"',
  "<",
  ">",
  ";",
  ",",
  "@",
  ":",
  "%",
  "\\",
  "From: ",
  "f:",
  "Via: SIP/2.0/UDP ",
  "Route: <sip:192.0.2.1;lr>",
  "Privacy: id\r\n",
  ";tag=",
  "\xff",
  " ",
  "-1",
  "99999999999999999999",
  "[::1]",
  "P-Asserted-Identity: ",
];

function mutate(bytes: Buffer, random: (below: number) => number): Buffer {
  let out: Buffer = Buffer.from(bytes);
  for (let times = 1 + random(4); times > 0; times--) {
    const at = random(out.length + 1);
    const length = random(20);
    switch (random(5)) {
      case 0:
        if (at < out.length) out[at] = random(256);
        break;
      case 1:
        out = Buffer.concat([out.subarray(0, at), out.subarray(at + length)]);
        break;
      case 2:
        out = Buffer.concat([
          out.subarray(0, at),
          Buffer.from(pieces[random(pieces.length)] ?? "", "latin1"),
          out.subarray(at),
        ]);
        break;
      case 3:
        out = Buffer.concat([
          out.subarray(0, at),
          out.subarray(random(out.length + 1), random(out.length + 1)),
          out.subarray(at),
        ]);
        break;
      default:
        out = out.subarray(0, at);
    }
  }
  return out;
}

void t.test("mutated messages: no fault of ours, nothing unjudged passes", async (t) => {
  const random = createRandom(4475);
  const proxy = createTestProxy(undefined, { ledgerSize: 100_000 });
  const invite =
    proxy.receive(
      peers.lessee,
      request({
        headers: ["Privacy: id", 'P-Asserted-Identity: "A, B" <sip:+861087654322@a>, <tel:+861087654323>'],
      }),
    )[0]?.text ?? "";
  const forwarded =
    proxy.receive(peers.second, request({ via: ["SIP/2.0/UDP 203.0.113.11;branch=z9hG4bKx;rport"] }))[0]
      ?.text ?? "";
  const seeds = [
    ...readdirSync("test/sip/torture").map((name) => readFileSync(`test/sip/torture/${name}`)),
    Buffer.from(
      request({
        headers: [
          "Privacy: id",
          "Diversion: <tel:+1>",
          "History-Info: <sip:1@a?Reason=x>;index=1,<sip:2@a;cause=302>;index=1.1",
        ],
      }),
    ),
    Buffer.from(
      request({
        method: "BYE",
        to: "<sip:1@a>;tag=called",
        headers: [`Route: <sip:192.0.2.1;lr;sw=a!b!c!d!e!f!g>, <sip:[::1]>`],
      }),
    ),
    Buffer.from(invite, "latin1"),
    Buffer.from(respond(forwarded, 200), "latin1"),
  ];
  const rounds = 20_000;
  let unjudged = 0;
  for (let i = 0; i < rounds; i++) {
    const seed = seeds[random(seeds.length)] ?? Buffer.alloc(0);
    const from = random(4) === 0 ? peers.core : peers.lessee;
    const decisions = proxy.decisions.length;
    proxy.now += 1;
    const sent = proxy.receive(from, mutate(seed, random));
    // From the lessee, an INVITE that begins a call leaves for the core only with a fresh accept.
    for (const { to, text } of sent) {
      if (
        from === peers.lessee &&
        to === peers.core &&
        text.startsWith("INVITE ") &&
        !/\r\n(to|t)[ \t]*:[^\r]*;\s*tag/iu.test(text)
      ) {
        if (proxy.decisions.length === decisions || proxy.decisions.at(-1)?.verdict.kind !== "accept")
          unjudged++;
      }
    }
  }
  t.same(proxy.faults.slice(0, 3), []);
  t.equal(unjudged, 0);
});
