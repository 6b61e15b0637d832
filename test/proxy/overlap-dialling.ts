// Overlap dialling through the proxy: 484, then the same call with more digits (RFC 3578).
import t from "tap";
import {
  basicPolicy,
  compileText,
  createTestProxy,
  outcomeOf,
  peers,
  request,
  respond,
} from "../support/proxy.ts";

const limited = compileText(
  basicPolicy.replace("lessee: bank, areaCode", "limits: { callsPerSecond: 1 }, lessee: bank, areaCode"),
);

void t.test("each INVITE is a call of its own; the limits are spent once", async (t) => {
  for (const policy of [limited, compileText(basicPolicy)]) {
    const proxy = createTestProxy(policy);
    let cseq = 0;
    const dial = (digits: string, status: number, callId = "dialled"): string => {
      cseq++;
      const via = [`SIP/2.0/UDP ${peers.lessee};branch=z9hG4bKd${cseq}`];
      const [out] = proxy.receive(
        peers.lessee,
        request({ uri: `sip:${digits}@192.0.2.1`, callId, cseq: `${cseq} INVITE`, via }),
      );
      if (out?.to === peers.core) proxy.receive(peers.core, respond(out.text, status));
      return outcomeOf(out === undefined ? [] : [out]);
    };
    const toCore = `to ${peers.core}`;
    for (const digits of ["0", "02", "027", "0278", "0278765", "02787654321"])
      t.equal(dial(digits, digits.length < 11 ? 484 : 486), toCore, digits);
    const decided = proxy.events.filter((event) => event.kind === "decided");
    t.same(
      decided.map(({ overlapOf }) => overlapOf),
      [undefined, ...decided.slice(0, -1).map(({ call }) => call.id)],
      "each names the one before",
    );
    t.equal(proxy.events.filter(({ kind }) => kind === "ended").length, 6, "each has an end of its own");
    const others: readonly [what: string, outcome: string][] = [
      ["behind a 486", dial("027876543210", 486)],
      ["another Call-ID", dial("0278", 486, "other")],
    ];
    for (const [what, outcome] of others) {
      t.equal(outcome, policy === limited ? "503" : toCore, `${what}: a new call`);
    }
    t.same(
      proxy.events
        .filter((event) => event.kind === "decided")
        .slice(6)
        .map(({ overlapOf }) => overlapOf),
      [undefined, undefined],
    );
    t.same(proxy.faults, []);
  }
});

void t.test("a continued call is judged: an emergency number passes, another caller does not", async (t) => {
  const proxy = createTestProxy(limited);
  const [out] = proxy.receive(peers.lessee, request({ uri: "sip:11@192.0.2.1" }));
  proxy.receive(peers.core, respond(out?.text ?? "", 484));
  const again = (digits: string, from: string, branch: number): string =>
    outcomeOf(
      proxy.receive(
        peers.lessee,
        request({
          uri: `sip:${digits}@192.0.2.1`,
          from: `<sip:${from}@a>;tag=caller`,
          cseq: "2 INVITE",
          via: [`SIP/2.0/UDP ${peers.lessee};branch=z9hG4bK${branch}`],
        }),
      ),
    );
  t.equal(again("114", "95588", 1), "403");
  t.equal(again("110", "95588", 2), `to ${peers.core}`);
  t.equal(again("1145", "+861087654321", 3), `to ${peers.core}`, "its 484 is not used up yet");
  t.equal(again("1146", "+861087654321", 4), "503", "now it is");
});
