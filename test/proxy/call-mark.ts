// Marks of calls in our Via, with near misses.
import { Buffer } from "node:buffer";
import t from "tap";
import { createCalls } from "../../src/calls/call-memory.ts";
import { createCallTags } from "../../src/calls/call-tag.ts";
import { NO_CALL } from "../../src/calls/calls.ts";
import type { CallSetup } from "../../src/proxy/memory/call-setup.ts";
import { markOf, readMark, slotOf } from "../../src/proxy/sending/call-mark.ts";
import type { ProxyState } from "../../src/proxy/turn/proxy-state.ts";
import { createKeyedTags } from "../../src/sip/tag.ts";
import { HOUR, START } from "../support/calls.ts";

const key = createKeyedTags(Buffer.from("0123456789abcdef"));
const MAC = "00112233445566778899aabb";
const OTHER_MAC = "00112233445566798899aabb";
const VIA = "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKsw0";

/** The two members of a proxy that marks need. */
function makeProxy(node = "gw-a"): Pick<ProxyState, "calls" | "callTags"> {
  const calls = createCalls<CallSetup>({
    capacity: 16,
    node,
    epoch: 36,
    longestCall: () => HOUR,
    tell: () => undefined,
  });
  return { calls, callTags: createCallTags(key, node) };
}

void t.test("a mark is read where its branch is, whatever a peer puts in between", (t) => {
  const proxy = makeProxy();
  const slot = proxy.calls.begin("k", "lease", START);
  const neighbour = proxy.calls.begin("l", "lease", START);
  const begins = markOf(proxy, { slot, isWithin: false }, MAC);
  const within = markOf(proxy, { slot, isWithin: true }, MAC);
  t.match(begins, /^;sw=[\w-]{16}$/u);
  t.match(within, /^;sd=[\w-]{16}$/u);
  t.not(begins.slice(4), within.slice(4), "each name has its own");
  t.not(markOf(proxy, { slot, isWithin: false }, OTHER_MAC), begins, "each branch has its own");
  t.equal(
    markOf(proxy, { slot, isWithin: false }, `${MAC.slice(0, 16)}ffffffff`),
    begins,
    "16 digits of the MAC are bound",
  );
  const changed = `${begins.slice(0, -1)}${begins.endsWith("A") ? "B" : "A"}`;
  const rows: readonly (readonly [
    what: string,
    mark: string,
    mac: string,
    found: number | undefined,
    isWithin?: boolean,
  ])[] = [
    ["as written", begins, MAC, slot, false],
    ["of a request inside the dialog", within, MAC, slot, true],
    ["behind other parameters", `;received=198.51.100.9;rport=5060${begins}`, MAC, slot, false],
    ["before other parameters", `${begins};received=198.51.100.9`, MAC, slot, false],
    ["another call", markOf(proxy, { slot: neighbour, isWithin: false }, MAC), MAC, neighbour, false],
    ["near miss: under another branch", begins, OTHER_MAC, undefined],
    ["near miss: one character is another", changed, MAC, undefined],
    ["near miss: one character is missing", begins.slice(0, -1), MAC, undefined],
    ["near miss: another name", begins.replace("sw", "sx"), MAC, undefined],
    ["near miss: the name of a request inside the dialog", begins.replace("sw", "sd"), MAC, undefined],
    ["near miss: the name of a request that begins a call", within.replace("sd", "sw"), MAC, undefined],
    ["near miss: no value", ";sw", MAC, undefined],
    ["near miss: a character that is none of base64url", `;sw=${"+".repeat(16)}`, MAC, undefined],
    ["no mark", "", MAC, undefined],
  ];
  for (const [what, mark, mac, found, isWithin = false] of rows)
    t.same(
      readMark(proxy, VIA + mark, VIA.length, mac),
      found === undefined ? undefined : { slot: found, isWithin },
      what,
    );
  t.equal(
    readMark(proxy, begins + VIA, begins.length + 1, MAC),
    undefined,
    "before the branch there is none",
  );
  t.end();
});

void t.test(
  "no mark for what has no call, and none is read of a call that is gone or of another node",
  (t) => {
    const proxy = makeProxy();
    t.equal(markOf(proxy, undefined, MAC), "");
    t.equal(markOf(proxy, { slot: NO_CALL, isWithin: false }, MAC), "");
    const slot = proxy.calls.begin("k", "lease", START);
    const mark = markOf(proxy, { slot, isWithin: false }, MAC);
    const other = makeProxy("gw-b");
    other.calls.begin("k", "lease", START);
    t.equal(readMark(other, VIA + mark, VIA.length, MAC), undefined, "another node, the same name");
    t.equal(slotOf(proxy.callTags, proxy.calls, mark.slice(4), MAC.slice(0, 16)), slot);
    proxy.calls.abandon(slot);
    t.equal(readMark(proxy, VIA + mark, VIA.length, MAC), undefined, "gone");
    t.equal(slotOf(proxy.callTags, proxy.calls, mark.slice(4), MAC.slice(0, 16)), NO_CALL);
    t.end();
  },
);
