import t from "tap";
import { eachAttemptCount } from "../../src/observe/counters.ts";
import { createOverload, LOAD_INTERVAL, type Load, type Overload } from "../../src/judging/overload.ts";
import type { OverloadLimits } from "../../src/policy/policy.ts";
import { makeTrunk } from "../support/attempt.ts";
import {
  basicPolicy,
  compileText,
  createTestProxy,
  header,
  outcomeOf,
  peers,
  request,
  respond,
  type TestProxy,
} from "../support/proxy.ts";

const limits: OverloadLimits = {
  mode: "enforce",
  busyRatio: 0.85,
  lateMilliseconds: 50,
  retryAfterSeconds: undefined,
};
const idle: Load = { busy: 0.1, late: 0 };
const full: Load = { busy: 1, late: 0 };
const stalled: Load = { busy: 0.5, late: 500 };
/** As many new calls in an interval as can be the reason for a load, and one less. */
const many = 5;
const few = 4;

function measure(overload: Overload, load: Load, times: number): void {
  for (let i = 0; i < times; i++) overload.measure(load, many, limits);
}

void t.test("stages: what it takes to reach one and to leave it", (t) => {
  const rows: readonly (readonly [
    name: string,
    loads: readonly (readonly [Load, number])[],
    stage: number,
  ])[] = [
    ["at rest", [[idle, 100]], 0],
    ["at the limit, not above", [[{ busy: 0.85, late: 50 }, 100]], 0],
    [
      "one long pause",
      [
        [stalled, 1],
        [idle, 1],
      ],
      0,
    ],
    [
      "four, and a break, and four",
      [
        [full, 4],
        [idle, 1],
        [full, 4],
      ],
      0,
    ],
    ["five in a row", [[full, 5]], 1],
    ["five pauses in a row", [[stalled, 5]], 1],
    ["busy for a while", [[full, 20]], 1],
    ["busy although nearly everything is shed", [[full, 35]], 2],
    ["and no better for a second", [[full, 60]], 3],
    ["late although nearly everything is shed", [[stalled, 12]], 2],
    ["no help from that for a second", [[stalled, 25]], 3],
    [
      "a moment of rest is no end",
      [
        [full, 5],
        [idle, 3],
      ],
      1,
    ],
    [
      "a second of rest is",
      [
        [full, 5],
        [idle, 20],
      ],
      0,
    ],
    [
      "room again below the limit, but not calm",
      [
        [full, 5],
        [{ busy: 0.8, late: 0 }, 100],
      ],
      1,
    ],
    [
      "emergency calls first, when it gets better",
      [
        [stalled, 30],
        [idle, 2],
      ],
      3,
    ],
    [
      "and then the others",
      [
        [stalled, 30],
        [idle, 40],
      ],
      1,
    ],
    [
      "to the end",
      [
        [stalled, 30],
        [idle, 150],
      ],
      0,
    ],
  ];
  for (const [name, loads, stage] of rows) {
    const overload = createOverload();
    for (const [load, times] of loads) measure(overload, load, times);
    t.equal(overload.stage, stage, name);
    t.equal(overload.isShedding, stage > 0, `${name}: shedding`);
  }
  const off = createOverload();
  for (let i = 0; i < 100; i++) off.measure(full, many, { ...limits, mode: "off" });
  t.equal(off.stage, 0, "mode off");
  t.same(off.load, full, "measured all the same");
  const quiet = createOverload();
  for (let i = 0; i < 100; i++) quiet.measure(full, few, limits);
  t.equal(quiet.stage, 0, "busy with something else than calls");
  const late = createOverload();
  measure(late, full, 10);
  late.measure(full, many, { ...limits, mode: "off" });
  t.notOk(late.isShedding, "a reload to off ends it");
  t.end();
});

/** Offers calls for one interval and says how many of each trunk were admitted. */
function offer(
  overload: Overload,
  offers: Readonly<Record<string, number>>,
  shares: Readonly<Record<string, number>> = {},
) {
  const admitted: Record<string, number> = {};
  for (const [id, calls] of Object.entries(offers)) {
    const trunk = makeTrunk({ id, limits: shares[id] === undefined ? {} : { share: shares[id] } });
    admitted[id] = 0;
    for (let call = 0; call < calls; call++) if (overload.admits(trunk, `${id} ${serial++}`)) admitted[id]++;
  }
  return admitted;
}
let serial = 0;

/** Offers the same over and over under a filter that can judge `capacity` calls an interval; what was admitted at the end. */
function settle(
  capacity: number,
  offers: Readonly<Record<string, number>>,
  shares?: Readonly<Record<string, number>>,
) {
  const overload = createOverload();
  measure(overload, full, 5);
  const sums: Record<string, number> = {};
  const rounds = 400;
  for (let round = 0; round < rounds; round++) {
    const admitted = offer(overload, offers, shares);
    const judged = Object.values(admitted).reduce((sum, calls) => sum + calls, 0);
    overload.measure({ busy: Math.min(1, (judged / capacity) * limits.busyRatio), late: 0 }, judged, limits);
    if (round >= rounds - 100)
      for (const [id, calls] of Object.entries(admitted)) sums[id] = (sums[id] ?? 0) + calls / 100;
  }
  return sums;
}

void t.test("what can be judged is judged: the share follows the load to its limit", (t) => {
  const { a = 0 } = settle(100, { a: 400 });
  t.ok(a > 80 && a < 110, `${a} of 400 calls at room for 100`);
  t.end();
});

void t.test("a trunk above its fair share is shed first", (t) => {
  const flood = settle(100, { flood: 1000, small: 10, quiet: 1 });
  t.equal(Math.round(flood["small"] ?? 0), 10, "who asks for little gets it all");
  t.equal(Math.round(flood["quiet"] ?? 0), 1);
  t.ok(
    (flood["flood"] ?? 0) > 60 && (flood["flood"] ?? 0) < 100,
    `the flood gets the rest: ${flood["flood"]}`,
  );
  const even = settle(100, { a: 200, b: 400 });
  const ratio = (even["a"] ?? 0) / (even["b"] ?? 1);
  t.ok(ratio > 0.85 && ratio < 1.15, `who asks for twice as much gets no more: ${ratio}`);
  const weighted = settle(100, { a: 400, b: 400 }, { a: 3 });
  const weight = (weighted["a"] ?? 0) / (weighted["b"] ?? 1);
  t.ok(weight > 2.5 && weight < 3.5, `unless its weight says so: ${weight}`);
  t.end();
});

void t.test("the same Call-ID meets the same answer, or a better one when there is more room", (t) => {
  const overload = createOverload();
  const trunk = makeTrunk();
  const ids = Array.from({ length: 2000 }, (_, i) => `call-${i}`);
  measure(overload, full, 10);
  const before = ids.filter((id) => overload.admits(trunk, id));
  t.ok(before.length > 200 && before.length < 1800, `a part is shed: ${before.length} of 2000 pass`);
  t.same(
    ids.filter((id) => overload.admits(trunk, id)),
    before,
    "again",
  );
  const middle: Load = { busy: 0.75, late: 0 };
  for (let i = 0; i < 5; i++) {
    for (const id of ids) overload.admits(trunk, id);
    measure(overload, middle, 1);
  }
  const after = new Set(ids.filter((id) => overload.admits(trunk, id)));
  t.ok(after.size > before.length, "more room");
  t.ok(
    before.every((id) => after.has(id)),
    "and none that passed before is shed",
  );
  t.end();
});

void t.test("no step of the share is steep on the way back", (t) => {
  const overload = createOverload();
  const trunk = makeTrunk();
  measure(overload, full, 17);
  let before = 0;
  for (let i = 0; i < 60 && overload.isShedding; i++) {
    let admitted = 0;
    for (let call = 0; call < 5000; call++) if (overload.admits(trunk, `s${call}`)) admitted++;
    if (i > 0) t.ok(admitted - before < 5000 * 0.16, `${before} to ${admitted}`);
    before = admitted;
    measure(overload, idle, 1);
  }
  t.end();
});

const bank = "<sip:+861087654321@203.0.113.10>;tag=caller";

/** An INVITE of a call of its own. */
function invite(id: number | string, changes: Parameters<typeof request>[0] = {}): string {
  return request({
    via: [`SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bK-${id}`],
    callId: `call-${id}`,
    from: bank,
    ...changes,
  });
}

let pressing = 0;

/** Lets the engine say so for some intervals in which calls of another trunk come in. */
function press(proxy: TestProxy, load: Load, intervals: number): void {
  for (let interval = 0; interval < intervals; interval++) {
    for (let call = 0; call < many; call++) {
      const id = `press-${pressing++}`;
      const via = [`SIP/2.0/UDP ${peers.abroad};branch=z9hG4bK-${id}`];
      proxy.receive(peers.abroad, invite(id, { via, from: "<sip:+442079460000@h>;tag=a" }));
    }
    proxy.now += LOAD_INTERVAL;
    proxy.proxy.measure(load);
  }
}

/** A proxy whose engine says that it is at stage 2, or 3. */
function overloaded(stage: 2 | 3, policy = basicPolicy): TestProxy {
  const proxy = createTestProxy(compileText(policy));
  press(proxy, stalled, stage === 2 ? 12 : 40);
  t.equal(proxy.proxy.overload.stage, stage);
  return proxy;
}

function count(proxy: TestProxy, trunk: string, reason: string, verdict = "reject"): number {
  let sum = 0;
  eachAttemptCount(proxy.counters, (labels, value) => {
    if (labels.trunk === trunk && labels.reason === reason && labels.verdict === verdict) sum += value;
  });
  return sum;
}

void t.test(
  "a call that is shed: 503 without a rule, its ACK and CANCEL absorbed, its repeat answered alike",
  (t) => {
    const proxy = overloaded(2);
    const asked = (): number => proxy.decisions.filter(({ rule }) => rule !== "protocol").length;
    const judged = asked();
    const [first] = proxy.receive(peers.lessee, invite(1));
    t.match(first?.text, /^SIP\/2\.0 503 /);
    t.equal(header(first?.text ?? "", "Reason"), 'Q.850;cause=42;text="Call rejected"');
    t.equal(
      header(first?.text ?? "", "Retry-After"),
      undefined,
      "RFC 3261 section 21.5.4: no Retry-After by default",
    );
    t.equal(asked(), judged, "no rule was asked");
    t.equal(count(proxy, "lease", "overload"), 1);
    t.equal(proxy.receive(peers.lessee, invite(1))[0]?.text, first?.text, "the repeat, byte for byte");
    t.equal(count(proxy, "lease", "overload"), 1, "counted as one attempt");
    const to = header(first?.text ?? "", "To") ?? "";
    t.equal(
      outcomeOf(proxy.receive(peers.lessee, invite(1, { method: "ACK", cseq: "1 ACK", to }))),
      "nothing",
      "ACK",
    );
    t.equal(
      outcomeOf(proxy.receive(peers.lessee, invite(1, { method: "CANCEL", cseq: "1 CANCEL" }))),
      "nothing",
      "CANCEL",
    );
    // A copy that waited in the socket while the overload ended must not begin the call that was refused.
    for (let i = 0; i < 400; i++) proxy.proxy.measure(idle);
    t.equal(proxy.proxy.overload.stage, 0);
    t.equal(proxy.receive(peers.lessee, invite(1))[0]?.text, first?.text, "the repeat after the overload");
    t.equal(
      outcomeOf(proxy.receive(peers.lessee, invite(2))),
      "to 198.51.100.1:5060",
      "the next call passes",
    );
    t.end();
  },
);

void t.test("Retry-After is the operator's choice, on repeats too", (t) => {
  const proxy = overloaded(2, `${basicPolicy}\noverload: { retryAfterSeconds: 7 }\n`);
  for (const time of ["first", "repeat"])
    t.equal(header(proxy.receive(peers.lessee, invite(1))[0]?.text ?? "", "Retry-After"), "7", time);
  t.equal(
    header(
      proxy.receive(peers.lessee, request({ method: "BYE", to: "<sip:x@y>;tag=z" }))[0]?.text ?? "",
      "Retry-After",
    ),
    undefined,
    "no other answer has it",
  );
  t.end();
});

void t.test("nothing in progress suffers, at any stage and while draining", (t) => {
  for (const way of ["stage 3", "draining"]) {
    const proxy = createTestProxy();
    const [ringing] = proxy.receive(peers.lessee, invite("ringing"));
    const [talking] = proxy.receive(peers.lessee, invite("talking"));
    const [answered] = proxy.receive(
      peers.core,
      respond(talking?.text ?? "", 200, { contact: "<sip:198.51.100.1>" }),
    );
    const route = header(answered?.text ?? "", "Record-Route") ?? "";
    if (way === "draining") proxy.proxy.drain();
    else press(proxy, stalled, 40);
    const inDialog = (method: string, cseq: number, changes: Parameters<typeof request>[0] = {}): string =>
      request({
        method,
        uri: "sip:198.51.100.1",
        via: [`SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bK-${method}-${cseq}`],
        callId: "call-talking",
        from: bank,
        to: "<sip:02787654321@192.0.2.1>;tag=called",
        cseq: `${cseq} ${method}`,
        headers: [`Route: ${route}`, "Contact: <sip:pbx@203.0.113.10:5060>"],
        ...changes,
      });
    const rows: readonly (readonly [name: string, from: string, message: string, outcome: string])[] = [
      ["a new call", peers.lessee, invite("new"), "503"],
      ["repeat of an accepted INVITE", peers.lessee, invite("ringing"), "to 198.51.100.1:5060"],
      ["100", peers.core, respond(ringing?.text ?? "", 100), "100"],
      ["180", peers.core, respond(ringing?.text ?? "", 180), "180"],
      [
        "CANCEL",
        peers.lessee,
        invite("ringing", { method: "CANCEL", cseq: "1 CANCEL" }),
        "to 198.51.100.1:5060",
      ],
      ["487", peers.core, respond(ringing?.text ?? "", 487), "487"],
      [
        "ACK of the 487",
        peers.lessee,
        invite("ringing", { method: "ACK", cseq: "1 ACK", to: "<sip:02787654321@192.0.2.1>;tag=called" }),
        "to 198.51.100.1:5060",
      ],
      ["ACK of the 200", peers.lessee, inDialog("ACK", 1), "to 198.51.100.1:5060"],
      ["re-INVITE", peers.lessee, inDialog("INVITE", 2), "to 198.51.100.1:5060"],
      ["UPDATE", peers.lessee, inDialog("UPDATE", 3), "to 198.51.100.1:5060"],
      ["INFO", peers.lessee, inDialog("INFO", 4), "to 198.51.100.1:5060"],
      ["BYE", peers.lessee, inDialog("BYE", 5), "to 198.51.100.1:5060"],
      ["OPTIONS", peers.lessee, request({ method: "OPTIONS" }), way === "draining" ? "503" : "200"],
    ];
    for (const [name, from, message, outcome] of rows) {
      const got = outcomeOf(proxy.receive(from, message));
      t.equal(got, outcome, `${way}: ${name}`);
    }
  }
  t.end();
});

void t.test("emergency calls go last, of domestic trunks only, and by the called number only", (t) => {
  const rows: readonly (readonly [
    name: string,
    from: string,
    changes: Parameters<typeof request>[0],
    stage2: string,
    stage3: string,
  ])[] = [
    ["110", peers.lessee, { uri: "sip:110@192.0.2.1" }, "to 198.51.100.1:5060", "503"],
    ["urn:service:sos", peers.lessee, { uri: "urn:service:sos" }, "to 198.51.100.1:5060", "503"],
    ["the number behind 110", peers.lessee, { uri: "sip:111@192.0.2.1" }, "503", "503"],
    ["110 in To only", peers.lessee, { to: "<sip:110@192.0.2.1>" }, "503", "503"],
    [
      "Priority: emergency",
      peers.lessee,
      { headers: ["Priority: emergency", "Contact: <sip:a@b>"] },
      "503",
      "503",
    ],
    ["110 from abroad", peers.abroad, { uri: "sip:110@192.0.2.1" }, "503", "503"],
  ];
  for (const [name, from, changes, stage2, stage3] of rows) {
    const via = [`SIP/2.0/UDP ${from};branch=z9hG4bK-e`];
    const second = overloaded(2).receive(from, invite("e", { via, ...changes }));
    t.equal(outcomeOf(second), stage2, `stage 2: ${name}`);
    const third = overloaded(3).receive(from, invite("e", { via, ...changes }));
    t.equal(outcomeOf(third), stage3, `stage 3: ${name}`);
  }
  t.end();
});

void t.test(
  "attemptsPerSecond: a trunk's own ceiling of calls that are judged, whatever their verdict",
  (t) => {
    const policy = basicPolicy.replace(
      "lessee: bank, areaCode",
      "limits: { attemptsPerSecond: 3 }, lessee: bank, areaCode",
    );
    const proxy = createTestProxy(compileText(policy));
    const unlisted = "<sip:+861087650000@203.0.113.10>;tag=caller";
    for (let i = 0; i < 3; i++)
      t.equal(
        outcomeOf(proxy.receive(peers.lessee, invite(i, { from: unlisted }))),
        "403",
        "judged and refused",
      );
    t.equal(outcomeOf(proxy.receive(peers.lessee, invite(3))), "503", "the fourth is not judged");
    t.equal(
      outcomeOf(proxy.receive(peers.lessee, invite(0, { from: unlisted }))),
      "403",
      "a repeat costs nothing",
    );
    t.equal(
      outcomeOf(proxy.receive(peers.lessee, invite(4, { uri: "sip:110@192.0.2.1" }))),
      "to 198.51.100.1:5060",
      "an emergency call passes",
    );
    t.equal(
      outcomeOf(
        proxy.receive(peers.second, invite(5, { via: ["SIP/2.0/UDP 203.0.113.11:5060;branch=z9hG4bK-5"] })),
      ),
      "to 198.51.100.1:5060",
      "another trunk is not touched",
    );
    proxy.now += 334;
    t.equal(
      outcomeOf(proxy.receive(peers.lessee, invite(6))),
      "to 198.51.100.1:5060",
      "a third of a second later",
    );
    t.equal(count(proxy, "lease", "overload"), 1);
    t.end();
  },
);

void t.test("a flood of strangers is no reason to shed the calls of trunks", (t) => {
  const rows: readonly (readonly [name: string, strangers: number, outcome: string])[] = [
    ["busy by itself", 0, "503"],
    ["busy, and a few strangers", 100, "503"],
    ["busy with strangers", 10_000, "to 198.51.100.1:5060"],
  ];
  for (const [name, strangers, outcome] of rows) {
    const proxy = createTestProxy();
    for (let tick = 0; tick < 30; tick++) {
      for (let i = 0; i < strangers; i++) proxy.receive(peers.stranger, "x");
      press(proxy, full, 1);
    }
    t.equal(outcomeOf(proxy.receive(peers.lessee, invite(1))), outcome, name);
    t.equal(proxy.counters.unknownSource, strangers * 30, `${name}: counted`);
  }
  t.end();
});
