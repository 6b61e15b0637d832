import t from "tap";
import { eachRequestCount } from "../../src/observe/counters.ts";
import {
  answeredRoute,
  basicPolicy,
  compileText,
  createTestProxy,
  header,
  outcomeOf,
  peers,
  request,
  type RequestParts,
  type TestProxy,
} from "../support/proxy.ts";

/** {@link basicPolicy}, with these keys on the trunk `lease`. */
function policyWith(keys: string): ReturnType<typeof compileText> {
  return compileText(
    basicPolicy.replace("id: lease, side: lessee,", () => `id: lease, side: lessee, ${keys},`),
  );
}

const listed = "<sip:+861087654321@203.0.113.10>;tag=caller";
const unlisted = "<sip:+861087654400@203.0.113.10>;tag=caller";
const toCore = `to ${peers.core}`;

/** Sends requests with a branch each; what comes of them, or one answer's header field. */
function sender(proxy: TestProxy) {
  let branch = 0;
  return {
    send: (parts: RequestParts, from: string = peers.lessee): string => {
      const via = [`SIP/2.0/UDP ${from};branch=z9hG4bKm${branch++}`];
      return outcomeOf(proxy.receive(from, request({ via, headers: [], ...parts })));
    },
    answered: (parts: RequestParts, name: string): string | undefined => {
      const via = [`SIP/2.0/UDP ${peers.lessee};branch=z9hG4bKm${branch++}`];
      const [sent] = proxy.receive(peers.lessee, request({ via, headers: [], ...parts }));
      return sent === undefined ? undefined : header(sent.text, name);
    },
  };
}

/** What was counted of requests other than calls on `trunk`: "METHOD verdict reason" to how often. */
function counted(proxy: TestProxy, trunk = "lease"): Record<string, number> {
  const counts: Record<string, number> = {};
  eachRequestCount(proxy.counters, (labels, count) => {
    if (labels.trunk === trunk) counts[`${labels.method} ${labels.verdict} ${labels.reason}`] = count;
  });
  return counts;
}

void t.test("a trunk that says nothing: calls, and nothing else", async (t) => {
  const proxy = createTestProxy();
  const { send, answered } = sender(proxy);
  for (const method of ["MESSAGE", "REFER", "SUBSCRIBE", "NOTIFY", "PUBLISH", "REGISTER", "FOO", "invite"])
    t.equal(send({ method, from: listed }), "405", method);
  t.equal(
    answered({ method: "MESSAGE" }, "Allow"),
    "INVITE, ACK, BYE, CANCEL, PRACK, UPDATE, INFO, OPTIONS",
    "Allow lists what is really allowed",
  );
  t.equal(send({ method: "OPTIONS" }), "200");
  for (const method of ["BYE", "PRACK", "UPDATE", "INFO"])
    t.equal(send({ method }), "481", `${method} has no dialog to be in`);
  t.equal(send({ method: "ACK" }), toCore, "an ACK goes where its INVITE went");
  t.equal(send({ method: "FOO", uri: "sip:192.0.2.1:5060" }), "501", "asked of the filter itself, as a UAS");
  t.equal(send({ method: "MESSAGE", uri: "sip:192.0.2.1:5060" }), "405", "a method that it knows");
  t.equal(send({ method: "MESSAGE" }, peers.stranger), "nothing", "a stranger");
  t.match(counted(proxy), {
    "MESSAGE reject method-not-allowed": 3,
    "other reject method-not-allowed": 3,
    "BYE reject dialog-unknown": 1,
    "UPDATE reject dialog-unknown": 1,
  });
  t.same(
    proxy.counters.trunks.get("lease")?.protocolErrors,
    new Map(),
    "none is an RFC 3261 error of a proxy",
  );
  for (const method of ["MESSAGE", "REFER", "SUBSCRIBE", "FOO", "BYE"])
    t.equal(
      send({ method, uri: "sip:203.0.113.10:5060" }, peers.core),
      `to ${peers.lessee}`,
      `${method} of the core`,
    );
  t.same(proxy.decisions, [], "nobody was judged");
});

void t.test("in-dialog requests without a dialog of ours", async (t) => {
  const proxy = createTestProxy();
  const { send } = sender(proxy);
  const inside = { to: "<sip:02787654321@192.0.2.1>;tag=called" };
  for (const method of [
    "BYE",
    "PRACK",
    "INFO",
    "INVITE",
    "UPDATE",
    "MESSAGE",
    "REFER",
    "NOTIFY",
    "OPTIONS",
    "FOO",
  ])
    t.equal(send({ ...inside, method }), "481", method);
  t.equal(
    send({ ...inside, method: "ACK" }),
    toCore,
    "an ACK may be that of an answer we passed on; it begins nothing",
  );
  t.equal(send({ ...inside, method: "ACK", headers: ["Route: <sip:192.0.2.1;lr;sw=forged>"] }), "nothing");
  t.equal(counted(proxy)["BYE reject dialog-unknown"], 1);
  t.equal(counted(proxy)["INVITE reject dialog-unknown"], 1, "no call attempt");
  t.equal(
    send({ ...inside, method: "BYE", uri: "sip:203.0.113.10:5060" }, peers.core),
    `to ${peers.lessee}`,
    "the core is trusted without a token",
  );
});

void t.test("inside a dialog: what belongs to the call passes, the rest is the trunk's choice", async (t) => {
  const proxy = createTestProxy(
    policyWith("methods: { MESSAGE: screen, SUBSCRIBE: [dialog], other: refuse }"),
  );
  const route = answeredRoute(proxy, proxy.receive(peers.lessee, request())[0]?.text ?? "");
  const { send } = sender(proxy);
  const inside = { to: "<sip:02787654321@192.0.2.1>;tag=called", headers: [`Route: ${route}`], from: listed };
  for (const method of ["ACK", "PRACK", "INFO", "UPDATE", "INVITE", "OPTIONS", "BYE"])
    t.equal(send({ ...inside, method }), toCore, method);
  for (const method of ["BYE", "PRACK", "ACK"])
    t.equal(send({ ...inside, method, from: unlisted }), toCore, `${method} is never refused for its caller`);
  const isup = { headers: [...inside.headers, "Content-Type: application/isup"], body: "x" };
  t.equal(send({ ...inside, ...isup, method: "INFO" }), "403", "INFO with an ISUP part");
  t.equal(send({ ...inside, method: "MESSAGE" }), toCore);
  t.equal(send({ ...inside, method: "MESSAGE", from: unlisted }), "403", "MESSAGE of somebody else");
  t.equal(
    send({ ...inside, method: "SUBSCRIBE", headers: [...inside.headers, "Event: dialog"] }),
    toCore,
    "an event package of the trunk",
  );
  t.equal(send({ ...inside, method: "SUBSCRIBE", headers: [...inside.headers, "Event: presence"] }), "489");
  for (const method of ["REFER", "NOTIFY", "PUBLISH", "REGISTER", "FOO"])
    t.equal(send({ ...inside, method }), "405", method);
  t.match(counted(proxy), {
    "INFO reject isup-undecodable": 1,
    "MESSAGE reject cli-not-listed": 1,
    "SUBSCRIBE reject method-not-allowed": 1,
  });
});

void t.test("MESSAGE: the same caller as in a call, and a limit of its own", async (t) => {
  const proxy = createTestProxy(
    policyWith("methods: { MESSAGE: screen }, limits: { messagesPerSecond: 2, callsPerSecond: 1 }"),
  );
  const { send } = sender(proxy);
  const message = { method: "MESSAGE", from: listed };
  t.equal(send({ ...message, from: unlisted }), "403");
  t.equal(send({ ...message, headers: ["Privacy: id"] }), "433");
  t.equal(
    send({ ...message, headers: ["P-Asserted-Identity: <tel:95588>"] }),
    "403",
    "another asserted caller",
  );
  t.equal(send({ ...message, uri: "sip:110@192.0.2.1", from: unlisted }), "403", "110 exempts calls only");
  t.equal(send({ ...message, headers: ["Route: <sip:203.0.113.66;lr>"] }), "403", "a foreign Route");
  t.equal(send({ ...message, headers: ["Content-Type: application/isup"], body: "x" }), "403");
  t.equal(send(message), toCore, "none of these cost a token");
  t.equal(send(message), toCore);
  t.equal(send(message), "503", "two a second");
  t.equal(send({ ...message, from: unlisted }), "403", "judged before it is counted");
  t.equal(send({}), toCore, "calls have their own limit");
  proxy.now += 1000;
  const text = request({ ...message, via: [`SIP/2.0/UDP ${peers.lessee};branch=z9hG4bKtwice`] });
  const first = proxy.receive(peers.lessee, text);
  proxy.policy = compileText(basicPolicy);
  t.same(
    [1, 2, 3].map(() => proxy.receive(peers.lessee, text)[0]?.text),
    [1, 2, 3].map(() => first[0]?.text),
    "repeats cost nothing and meet the same answer, whatever policy is in force",
  );
  t.equal(
    outcomeOf(proxy.receive(peers.lessee, text.replace("87654321@203", "87654400@203"))),
    "400",
    "not with other content",
  );
  t.match(counted(proxy), {
    "MESSAGE accept listed": 3,
    "MESSAGE reject cli-not-listed": 4,
    "MESSAGE reject cli-hidden": 1,
    "MESSAGE reject routing-refused": 1,
    "MESSAGE reject isup-undecodable": 1,
    "MESSAGE reject message-rate-exceeded": 1,
  });
  t.match(
    proxy.decisions.map(({ verdict }) => verdict.reason).slice(0, 2),
    ["cli-not-listed", "cli-hidden"],
    "a refused MESSAGE is a refusal in the log",
  );
});

void t.test("MESSAGE inside a dialog spends the same limit, once", async (t) => {
  const proxy = createTestProxy(policyWith("methods: { MESSAGE: screen }, limits: { messagesPerSecond: 1 }"));
  const route = answeredRoute(proxy, proxy.receive(peers.lessee, request())[0]?.text ?? "");
  const message = (branch: string): string =>
    request({
      method: "MESSAGE",
      to: "<sip:02787654321@192.0.2.1>;tag=called",
      headers: [`Route: ${route}`],
      via: [`SIP/2.0/UDP ${peers.lessee};branch=z9hG4bK${branch}`],
    });
  t.equal(outcomeOf(proxy.receive(peers.lessee, message("a"))), toCore);
  t.equal(outcomeOf(proxy.receive(peers.lessee, message("a"))), toCore, "a repeat");
  t.equal(outcomeOf(proxy.receive(peers.lessee, message("b"))), "503");
  t.equal(outcomeOf(proxy.receive(peers.lessee, message("b"))), "503", "a repeat");
});

/** The Refer-To of transfers: a header field in its URI may name a dialog, and nobody else (RFC 3891 section 4). */
const transfers = (
  [
    ["attended", "?Replaces=x%40pbx%3Bto-tag%3Dy%3Bfrom-tag%3Dz", toCore],
    ["another case, Require", "?replaces=x%3Bto-tag%3Dy&Require=replaces", toCore],
    ["Join", "?Join=x%3Bto-tag%3Dy", toCore],
    ["Target-Dialog behind a parameter", ";user=phone?Target-Dialog=x%3Blocal-tag%3Dy", toCore],
    ["a caller behind it", "?Replaces=x&From=%3Csip%3A110%40a%3E", "400"],
    ["a caller in front", "?P-Asserted-Identity=tel%3A110&Replaces=x", "400"],
    ["a name that only begins so", "?Replaces-x=y", "400"],
    ["an escaped name", "?%52eplaces=x", "400"],
    ["a line break", "?Replaces=x%0D%0AFrom%3A%20%3Csip%3A110%40a%3E", "400"],
    ["an escaped line break", "?Replaces=x%250AFrom%3A%20a", "400"],
    ["a body", "?Replaces=x&body=y", "400"],
    ["nothing", "?", "400"],
    ["a name alone", "?Replaces", "400"],
    ["a user part", "?Replaces=x@b", "400"],
  ] as const
).map(([name, behind, expected]) => [name, [`Refer-To: <sip:02787650000@a${behind}>`], expected] as const);

void t.test("REFER: whom it speaks for, and what it would set going", async (t) => {
  const proxy = createTestProxy(policyWith("methods: { REFER: screen }"));
  const route = answeredRoute(proxy, proxy.receive(peers.lessee, request())[0]?.text ?? "");
  const { send, answered } = sender(proxy);
  const target = "Refer-To: <sip:02787650000@192.0.2.1>";
  const rows: readonly (readonly [string, readonly string[], string])[] = [
    ["a plain transfer", [target], toCore],
    ["compact", ["r: <sip:02787650000@192.0.2.1>"], toCore],
    ["Referred-By a listed number", [target, "Referred-By: <sip:+861087654322@pbx>"], toCore],
    ["Referred-By another number", [target, "Referred-By: <sip:+861087654400@pbx>"], "403"],
    ["the same, compact", [target, "b: <sip:+861087654400@pbx>"], "403"],
    ["Referred-By that no plan allows", [target, "Referred-By: <sip:+86@pbx>"], "403"],
    ["two of them", [target, "Referred-By: <sip:+861087654322@a>", "b: <sip:+861087654322@a>"], "400"],
    ["no Refer-To", [], "400"],
    ["two of them", [target, "r: <sip:1@a>"], "400"],
    ["two targets in one", [`${target}, <sip:1@a>`], "400"],
    ["header fields in it", ["Refer-To: <sip:02787650000@a?P-Asserted-Identity=tel:110>"], "400"],
    ...transfers,
    ["without brackets", ["Refer-To: sip:02787650000@a?From=x"], "400"],
    ["without brackets, attended", ["Refer-To: sip:02787650000@a?Replaces=x"], "400"],
    ["behind the brackets", ["Refer-To: <sip:02787650000@a>;x?Replaces=x"], "400"],
  ];
  for (const [name, headers, expected] of rows) {
    t.equal(send({ method: "REFER", from: listed, headers }), expected, name);
    const inside = { to: "<sip:02787654321@192.0.2.1>;tag=called", headers: [`Route: ${route}`, ...headers] };
    t.equal(send({ method: "REFER", from: listed, ...inside }), expected, `${name}, in a dialog`);
  }
  t.equal(send({ method: "REFER", from: unlisted, headers: [target] }), "403", "From is judged too");
  t.match(answered({ method: "MESSAGE" }, "Allow"), /, REFER$/u);
  t.equal(send({ headers: [target] }), toCore, "an INVITE with a Refer-To is none of this");
});

void t.test("SUBSCRIBE, NOTIFY, PUBLISH: event packages by name", async (t) => {
  const proxy = createTestProxy(
    policyWith("methods: { SUBSCRIBE: [message-summary, dialog], PUBLISH: [presence] }"),
  );
  const { send, answered } = sender(proxy);
  const subscribe = { method: "SUBSCRIBE", from: listed, headers: ["Event: message-summary"] };
  t.equal(send(subscribe), toCore);
  t.equal(send({ ...subscribe, headers: ["o: dialog;id=7"] }), toCore, "compact, with parameters");
  t.equal(send({ ...subscribe, from: unlisted }), "403");
  for (const [name, headers] of [
    ["another package", ["Event: presence"]],
    ["a template of it", ["Event: dialog.winfo"]],
    ["none", []],
    ["two", ["Event: dialog", "o: dialog"]],
  ] as const)
    t.equal(send({ ...subscribe, headers }), "489", name);
  t.equal(answered({ ...subscribe, headers: ["Event: reg"] }, "Allow-Events"), "message-summary, dialog");
  t.equal(send({ method: "NOTIFY", from: listed, headers: ["Event: dialog"] }), "405", "not chosen");
  t.equal(send({ method: "PUBLISH", from: listed, headers: ["Event: presence"] }), toCore);

  // The NOTIFY comes back through the dialog that the SUBSCRIBE began.
  const [out] = proxy.receive(
    peers.lessee,
    request({ ...subscribe, callId: "s1", via: [`SIP/2.0/UDP ${peers.lessee};branch=z9hG4bKs1`] }),
  );
  const notify = request({
    method: "NOTIFY",
    uri: "sip:pbx@203.0.113.10:5060",
    callId: "s1",
    via: [`SIP/2.0/UDP ${peers.core};branch=z9hG4bKn1`],
    from: "<sip:02787654321@192.0.2.1>;tag=called",
    to: listed,
    headers: ["Event: message-summary", `Route: ${header(out?.text ?? "", "Record-Route")}`],
  });
  t.equal(outcomeOf(proxy.receive(peers.core, notify)), `to ${peers.lessee}`);
});

/** A REGISTER for an address of record. */
function registration(to: string, from = listed): RequestParts {
  return { method: "REGISTER", uri: "sip:carrier.example", to, from };
}

void t.test("REGISTER: a registering PBX may register its own numbers", async (t) => {
  const proxy = createTestProxy(policyWith("methods: { REGISTER: screen }"));
  const { send } = sender(proxy);
  t.equal(send(registration("<sip:+861087654321@carrier.example>")), toCore);
  t.equal(send(registration("<sip:01087654322@carrier.example>")), toCore, "another number of the list");
  t.equal(send(registration("<sip:+861087654400@carrier.example>")), "403", "the number next to it");
  t.equal(send(registration("<sip:+861087654321@carrier.example>", unlisted)), "403", "by a third party");
  t.equal(send(registration("<sip:pbx@carrier.example>")), "403", "a name is nobody's number");
  t.equal(
    send(registration("<sip:+861087654321@carrier.example>, <sip:95588@a>")),
    "400",
    "two addresses of record",
  );
  t.equal(
    send(registration("<sip:+861087654321@carrier.example>;tag=x")),
    "481",
    "registrations have no dialog",
  );
  t.equal(counted(proxy)["REGISTER reject cli-not-listed"], 3);
});

void t.test("OPTIONS and methods that nobody knows, passed on by choice", async (t) => {
  const proxy = createTestProxy(policyWith("methods: { OPTIONS: pass, other: pass }"));
  const { send, answered } = sender(proxy);
  t.equal(send({ method: "OPTIONS" }), toCore);
  t.equal(send({ method: "OPTIONS", from: unlisted }), toCore, "nobody is judged");
  t.equal(send({ method: "OPTIONS", uri: "sip:192.0.2.1:5060" }), "200", "addressed to the filter itself");
  t.equal(
    outcomeOf(
      proxy.receive(
        peers.lessee,
        request({ method: "OPTIONS" }).replace("Max-Forwards: 70", "Max-Forwards: 0"),
      ),
    ),
    "200",
    "RFC 3261 section 11: Max-Forwards 0",
  );
  t.equal(send({ method: "FOO" }), toCore);
  t.equal(send({ method: "MESSAGE" }), "405", "a method with a row of its own is no other");
  t.equal(send({ method: "FOO", headers: ["Route: <sip:203.0.113.66;lr>"] }), "403", "a foreign Route");
  t.equal(send({ method: "FOO" }, peers.second), "405", "on another trunk");
  t.notMatch(answered({ method: "MESSAGE" }, "Allow"), /FOO|MESSAGE/u);
});

void t.test("an INVITE with Replaces or Join begins a call like any other", async (t) => {
  const proxy = createTestProxy();
  const { send } = sender(proxy);
  for (const name of ["Replaces", "Join"]) {
    const headers = [`${name}: other-call;to-tag=a;from-tag=b`];
    t.equal(send({ from: listed, headers }), toCore, `${name}, listed`);
    t.equal(send({ from: unlisted, headers }), "403", `${name}, not listed`);
  }
  t.match(
    proxy.decisions.map(({ verdict }) => verdict.reason),
    ["listed", "cli-not-listed", "listed", "cli-not-listed"],
  );
});
