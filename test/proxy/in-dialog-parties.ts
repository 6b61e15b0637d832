// Inside a dialog only those are judged whom its token does not name; of the called side, what it may not show is taken out.
import t from "tap";
import type { Policy } from "../../src/policy/policy.ts";
import {
  answeredRoute,
  basicLists,
  basicPolicy,
  compileText,
  createTestProxy,
  header,
  headers,
  outcomeOf,
  peers,
  request,
  respond,
  type RequestParts,
  type TestProxy,
} from "../support/proxy.ts";

const toCore = `to ${peers.core}`;
const anonymous = '"Anonymous" <sip:anonymous@anonymous.invalid>';
const listed = "<sip:+861087654321@a>";

const basic = compileText(basicPolicy);

let branches = 0;

function via(peer: string): readonly string[] {
  return [`SIP/2.0/UDP ${peer};branch=z9hG4bKparty${branches++}`];
}

/** A call that a peer has begun and the core has answered; what it gives sends a later request of its calling side. */
function answeredCall(
  proxy: TestProxy,
  invite: RequestParts,
  peer: string = peers.lessee,
): (parts: RequestParts) => string {
  const from = `${invite.from ?? listed};tag=caller`;
  const [out] = proxy.receive(peer, request({ ...invite, from, via: via(peer) }));
  if (out?.to !== peers.core) throw new Error(`the INVITE was not accepted: ${out?.text ?? "nothing"}`);
  const route = answeredRoute(proxy, out.text);
  return (parts) => {
    const sent = proxy.receive(
      peer,
      request({
        method: "INVITE",
        ...invite,
        uri: "sip:psap@198.51.100.1",
        to: "<sip:110@192.0.2.1>;tag=called",
        cseq: `${branches + 2} ${parts.method ?? "INVITE"}`,
        via: via(peer),
        ...parts,
        from: `${parts.from ?? invite.from ?? listed};tag=caller`,
        headers: [`Route: ${route}`, ...(parts.headers ?? invite.headers ?? [])],
      }),
    );
    return outcomeOf(sent);
  };
}

const pai = (uri: string): string => `P-Asserted-Identity: <${uri}>`;

void t.test("an emergency call is refreshed by whoever made it", async (t) => {
  const callers: readonly [what: string, from: string, headers: readonly string[]][] = [
    ["anonymous", anonymous, []],
    ["anonymous, its number for the network alone", anonymous, [pai("tel:+861087654321"), "Privacy: id"]],
    ["hidden by Privacy", "<sip:+8613900000000@a>", ["Privacy: user;id"]],
    ["extension", "<sip:8001@pbx>", []],
    ["account", "<sip:pbx01@pbx>", []],
    ["no number", "<sip:alice@pbx>", []],
    ["not listed", "<sip:01087650000@a>", []],
    ["a short code", "<sip:95588@a>", []],
    ["a display name that misleads", '"110" <sip:01087650000@a>', []],
    ["two numbers", "<sip:+8613900000000@a>", [pai("tel:+8613900000001")]],
    ["RPID", "<sip:8001@pbx>", ["Remote-Party-ID: <sip:8002@pbx>;privacy=full"]],
    [
      "more numbers than a token of before could hold",
      "<sip:8001@pbx>",
      [1, 2, 3, 4, 5, 6, 7, 8].map((n) => pai(`tel:+861390000000${n}`)),
    ],
    ["listed", listed, []],
  ];
  for (const uri of ["sip:110@192.0.2.1", "urn:service:sos.fire"]) {
    for (const [what, from, fields] of callers) {
      const proxy = createTestProxy(basic);
      const send = answeredCall(proxy, { uri, from, headers: fields });
      t.match(proxy.decisions.splice(0), [{ verdict: { kind: "accept", reason: "emergency" } }], what);
      t.equal(send({ method: "UPDATE" }), toCore, `${what}: UPDATE`);
      t.equal(send({}), toCore, `${what}: re-INVITE`);
      t.equal(send({ headers: [] }), toCore, `${what}: with From alone`);
      t.equal(send({ headers: [...fields, "Privacy: id"] }), toCore, `${what}: hidden by now`);
      t.equal(send({ method: "ACK" }), toCore, `${what}: ACK`);
      t.same(proxy.decisions, [], `${what}: nobody is judged`);
      t.same(proxy.faults, []);
    }
  }
});

void t.test("an emergency call authorises nobody else", async (t) => {
  const rows: readonly [what: string, parts: RequestParts, outcome: string][] = [
    ["the same", {}, toCore],
    ["the same number, written otherwise", { from: "<sip:+861087650000@b>" }, toCore],
    ["no number", { from: "<sip:pbx@a>" }, toCore],
    ["another number in From", { from: "<sip:01087650001@a>" }, "403"],
    ["its number with a digit more", { from: "<sip:+8610876500001@a>" }, "403"],
    ["an extension", { from: "<sip:8001@a>" }, "403"],
    ["nobody", { from: anonymous }, toCore],
    ["another number in PAI", { headers: [pai("tel:95588")] }, "403"],
    ["another number in RPID", { headers: ["Remote-Party-ID: <sip:95588@a>"] }, "403"],
    ["a listed number is judged, and listed", { headers: [pai("tel:+861087654322")] }, toCore],
    ["another called tag: a new call, and no emergency", { to: "<sip:110@a>;tag=other" }, "403"],
    ["a Contact that looks like 110", { uri: "sip:110@198.51.100.1", headers: [pai("tel:95588")] }, "403"],
  ];
  for (const method of ["INVITE", "UPDATE"]) {
    for (const [what, parts, outcome] of rows) {
      const send = answeredCall(createTestProxy(basic), {
        uri: "sip:110@192.0.2.1",
        from: "<sip:01087650000@a>",
        headers: [],
      });
      t.equal(send({ method, ...parts }), outcome, `${method}: ${what}`);
    }
  }
  const proxy = createTestProxy(basic);
  const ordinary = answeredCall(proxy, { headers: [] });
  t.equal(ordinary({ headers: ["Privacy: id"] }), "433", "an ordinary call may not hide its caller later");
  t.equal(ordinary({ from: anonymous }), "433", "nor name nobody");
});

const rpid = (value: string): readonly string[] => [`Remote-Party-ID: ${value}`];

void t.test(
  "the called party in Remote-Party-ID is taken out of a request of the calling side",
  async (t) => {
    const rows: readonly [what: string, parts: RequestParts, outcome: string][] = [
      ["the dialled number", { headers: rpid("<sip:02787654321@a>;party=called;privacy=off") }, toCore],
      ["hidden", { headers: rpid("<sip:02787654321@a>;party=called;privacy=full") }, toCore],
      ["an extension", { headers: rpid("<sip:8001@a>;PARTY=Called") }, toCore],
      ["a misleading name", { headers: rpid('"95588" <sip:02787654321@a>;party=called') }, toCore],
      ["the Request-URI", { uri: "sip:95588@a", headers: rpid("<sip:95588@a>;party=called") }, toCore],
      ["beside the caller", { headers: rpid("<sip:01087654321@a>, <sip:95588@a>;party=called") }, toCore],
      ["near miss: the caller", { headers: rpid("<sip:95588@a>;party=calling") }, "403"],
      ["near miss: nobody said", { uri: "sip:95588@a", headers: rpid("<sip:95588@a>") }, "403"],
      ["near miss: another party", { headers: rpid("<sip:95588@a>;party=other") }, "403"],
      ["near miss: party twice", { headers: rpid("<sip:95588@a>;party=called;party=calling") }, "400"],
    ];
    for (const method of ["INVITE", "UPDATE"]) {
      for (const [what, parts, outcome] of rows) {
        const proxy = createTestProxy(basic);
        const send = answeredCall(proxy, { headers: [] });
        t.equal(send({ method, ...parts }), outcome, `${method}: ${what}`);
      }
    }
    const proxy = createTestProxy(basic);
    const [out] = proxy.receive(peers.lessee, request());
    const route = `Route: ${answeredRoute(proxy, out?.text ?? "")}`;
    const inside = {
      uri: "sip:95588@a",
      method: "UPDATE",
      to: "<sip:x@y>;tag=called",
      via: via(peers.lessee),
    };
    const fields = rpid("<sip:95588@a>;party=called");
    const [sent] = proxy.receive(peers.lessee, request({ ...inside, headers: [route, ...fields] }));
    t.equal(header(sent?.text ?? "", "Remote-Party-ID"), undefined);
  },
);

void t.test("what does not count on the trunk refuses no request of a dialog", async (t) => {
  const x = "+8613912345678";
  const police = "+8613900000000";
  const cases: readonly [mode: string, invite: RequestParts, rows: readonly [RequestParts, string][]][] = [
    [
      "pai-first",
      { from: "<sip:8001@a>", headers: [pai("tel:+861087654321")] },
      [
        [{}, toCore],
        [{ headers: [] }, toCore],
        [{ from: "<sip:8002@a>" }, toCore],
        [{ from: `<sip:${x}@a>` }, toCore],
        [{ from: "<sip:8002@a>", headers: [pai("tel:+861087654322")] }, toCore],
        [{ from: `<sip:${police}@a>` }, "603"],
        [{ from: anonymous }, "433"],
        [{ from: "<sip:8002@a>", headers: [] }, "403"],
        [{ from: `<sip:${x}@a>`, headers: [pai("sip:alice@a")] }, "403"],
        [{ headers: [pai(`tel:${x}`)] }, "403"],
        [{ headers: [pai("sip:8001@a")] }, "403"],
        [{ method: "REFER", headers: ["Refer-To: <sip:1@a>", `Referred-By: <sip:${x}@a>`] }, "403"],
      ],
    ],
    [
      "pai-first",
      { from: `<sip:${x}@a>`, headers: [pai("tel:+861087654321")] },
      [
        [{}, toCore],
        [{ headers: [] }, toCore],
        [{ headers: [pai("tel:01087654321")] }, toCore],
        [{ headers: [pai(`tel:${x}`)] }, "403"],
        [{ from: listed, headers: [pai(`tel:${x}`)] }, "403"],
      ],
    ],
    [
      "presented",
      { headers: [pai(`tel:${x}`)] },
      [
        [{}, toCore],
        [{ headers: [] }, toCore],
        [{ headers: [pai("sip:8002@a")] }, toCore],
        [{ headers: [pai("tel:95566")] }, toCore],
        [{ headers: [pai(`tel:${police}`)] }, "603"],
        [{ headers: ["Privacy: id"] }, "433"],
        [{ from: "<sip:8002@a>" }, "403"],
        [{ from: `<sip:${x}@a>` }, "403"],
        [{ from: `<sip:${x}@a>`, headers: [] }, "403"],
      ],
    ],
  ];
  for (const [mode, invite, rows] of cases) {
    const text = basicPolicy
      .replace(
        "id: lease, side: lessee,",
        `id: lease, side: lessee, identity: ${mode}, methods: { REFER: screen },`,
      )
      .replace("lessees:", "lists: { p: { kind: police, file: p.csv } }\nlessees:");
    const policy = compileText(text, { ...basicLists, "p.csv": `number\n${police}\n` });
    for (const [parts, outcome] of rows) {
      const send = answeredCall(createTestProxy(policy), invite);
      t.equal(send({ method: "UPDATE", ...parts }), outcome, `${mode}: ${JSON.stringify(parts)}`);
    }
  }
});

void t.test("no table and no policy decides about those whom the token names", async (t) => {
  const from = '"Desk" <sip:+861087654321@a>';
  const proxy = createTestProxy(basic);
  const [out] = proxy.receive(peers.lessee, request({ from: `${from};tag=caller` }));
  const route = answeredRoute(proxy, out?.text ?? "");
  const refresh = request({
    method: "UPDATE",
    from: `${from};tag=caller`,
    to: "<sip:x@y>;tag=called",
    headers: [`Route: ${route}`],
  });
  const elsewhere = createTestProxy(
    compileText(basicPolicy.replace("lessees:", "lists: { p: { kind: police, file: p.csv } }\nlessees:"), {
      ...basicLists,
      "p.csv": "number\n+861087654321\n",
    }),
  );
  t.equal(
    outcomeOf(elsewhere.receive(peers.lessee, request({ callId: "2", from: `${from};tag=caller` }))),
    "603",
  );
  t.equal(
    outcomeOf(elsewhere.receive(peers.lessee, refresh)),
    toCore,
    "after a restart, and a list that names the caller by now",
  );
});

void t.test("a hidden special user may go on hidden, and its number stands in no token", async (t) => {
  const policy = compileText(
    `${basicPolicy}specialUsers:\n  - { trunk: lease, number: "+861087654321", allow: [hidden], until: 2030-01-01, reason: desk }\n`,
  );
  const invite = { from: anonymous, headers: [pai("tel:+861087654321"), "Privacy: id"] };
  const rows: readonly [what: string, parts: RequestParts, outcome: string][] = [
    ["the same", {}, toCore],
    ["From alone", { headers: ["Privacy: id"] }, toCore],
    ["a name in place of the number", { headers: [pai("sip:desk@a"), "Privacy: id"] }, toCore],
    ["another word for nobody", { from: "<sip:restricted@a>", headers: ["Privacy: id"] }, toCore],
    ["an extension, hidden", { headers: [pai("sip:8001@a"), "Privacy: id"] }, "433"],
    ["shown by now", { from: listed, headers: [] }, toCore],
    ["another listed number, hidden", { headers: [pai("tel:+861087654322"), "Privacy: id"] }, "433"],
    ["another number", { headers: [pai("tel:95588")] }, "403"],
  ];
  for (const [what, parts, outcome] of rows) {
    const proxy = createTestProxy(policy);
    const send = answeredCall(proxy, invite);
    proxy.policy = compileText(basicPolicy);
    t.equal(send({ method: "UPDATE", ...parts }), outcome, `${what}, when nobody is special any more`);
  }
  const proxy = createTestProxy(policy);
  const [out] = proxy.receive(peers.lessee, request({ ...invite, from: `${anonymous};tag=caller` }));
  t.notMatch(header(out?.text ?? "", "Record-Route"), "87654321");
});

function roaming(roamers: string): Policy {
  return compileText(
    basicPolicy.replace("lessees:", `rules: { home-cli-from-abroad: { roamers: ${roamers} } }\nlessees:`),
  );
}

void t.test("a label stays, and so does a withheld number, when the policy refuses by now", async (t) => {
  const from = "<sip:+8613912345678@a>;tag=caller";
  for (const roamers of ["label", "withhold"]) {
    const proxy = createTestProxy(roaming(roamers));
    const [out] = proxy.receive(peers.abroad, request({ from, via: via(peers.abroad) }));
    const route = answeredRoute(proxy, out?.text ?? "");
    proxy.policy = compileText(basicPolicy);
    t.equal(
      outcomeOf(proxy.receive(peers.abroad, request({ from, callId: "2", via: via(peers.abroad) }))),
      "403",
    );
    proxy.decisions.length = 0;
    const [sent] = proxy.receive(
      peers.abroad,
      request({
        method: "UPDATE",
        from,
        to: "<sip:x@y>;tag=called",
        via: via(peers.abroad),
        headers: [`Route: ${route}`],
      }),
    );
    t.equal(sent?.to, peers.core, roamers);
    t.same(proxy.decisions, []);
    t.equal(
      header(sent?.text ?? "", "P-Sigwall-Label"),
      roamers === "label" ? "home-cli-from-abroad" : undefined,
      roamers,
    );
    if (roamers === "withhold") t.notMatch(sent?.text ?? "", "13912345678");
  }
});

void t.test("a request of a dialog diverts nothing: new diverting parties are taken out", async (t) => {
  const licensed = compileText(basicPolicy, {
    "bank.csv": basicLists["bank.csv"]?.replace(",no\n", ",yes\n") ?? "",
  });
  const proxy = createTestProxy(licensed);
  const diversion = "Diversion: <sip:+861087654322@a>;reason=unconditional";
  const [out] = proxy.receive(peers.lessee, request({ headers: [diversion] }));
  t.equal(out?.to, peers.core);
  const route = answeredRoute(proxy, out?.text ?? "");
  const rows: readonly [field: string, stays: boolean][] = [
    [diversion, true],
    ["Diversion: <sip:01087654322@b>;reason=no-answer", true],
    ["Diversion: <sip:+861087654323@a>;reason=unconditional", false],
    ["Diversion: <sip:+861087654321@a>", false],
    ["History-Info: <sip:110@a>;index=1, <sip:1@a;cause=302>;index=1.1", false],
  ];
  for (const [field, stays] of rows) {
    const [sent] = proxy.receive(
      peers.lessee,
      request({ to: "<sip:x@y>;tag=called", via: via(peers.lessee), headers: [`Route: ${route}`, field] }),
    );
    t.equal(sent?.to, peers.core, field);
    t.equal(sent?.text.includes(field), stays, field);
  }
});

/** A call that the core has begun; what it gives sends a request of the called side and says what became of its fields. */
function calledSide(
  to: string,
  { policy = basic, peer = peers.lessee }: { policy?: Policy; peer?: string } = {},
): (parts: RequestParts) => { outcome: string; text: string; decisions: TestProxy["decisions"] } {
  const proxy = createTestProxy(policy);
  const [out] = proxy.receive(
    peers.core,
    request({
      uri: `sip:x@${peer}`,
      to,
      from: "<sip:+8613912345678@core>;tag=caller",
      via: via(peers.core),
    }),
  );
  if (out?.to !== peer) throw new Error(`the INVITE went nowhere: ${out?.text ?? "nothing"}`);
  const routes = headers(out.text, "Record-Route").map((route) => `Route: ${route}`);
  return (parts) => {
    proxy.decisions.length = 0;
    const sent = proxy.receive(
      peer,
      request({
        uri: "sip:core@198.51.100.1:5060",
        method: "UPDATE",
        via: via(peer),
        ...parts,
        from: `${parts.from ?? to};tag=called`,
        to: "<sip:+8613912345678@core>;tag=caller",
        headers: [...routes, ...(parts.headers ?? [])],
      }),
    );
    return { outcome: outcomeOf(sent), text: sent[0]?.text ?? "", decisions: proxy.decisions };
  };
}

void t.test("the called side refreshes under whatever To the core chose", async (t) => {
  const tos = [
    "<sip:01087654321@pbx>",
    '"1002#442079460500" <sip:1002#442079460500@10.0.4.176>',
    "<sip:999900442079460500@gw>",
    "<sip:4321@pbx>",
    "<sip:8001@pbx>",
    "<sip:*98@pbx>",
    "<sip:reception@pbx>",
    "<sip:8001;ext=1@pbx>",
    "<sip:110@pbx>",
    "<sip:pbx>",
    "<tel:4321;phone-context=pbx.example>",
    anonymous,
  ];
  for (const peer of [peers.lessee, peers.abroad]) {
    for (const to of tos) {
      for (const method of ["UPDATE", "INVITE", "BYE"]) {
        const send = calledSide(to, { peer });
        const { outcome, text } = send({ method });
        t.equal(outcome, toCore, `${method} of ${to}`);
        t.ok(text.includes(`${to.slice(to.indexOf("<"))};tag=called`), `${to} stays`);
      }
    }
  }
});

void t.test("what the called side may not show is taken out, and refuses nothing", async (t) => {
  type Row = readonly [what: string, parts: RequestParts, kept: readonly string[], gone: readonly string[]];
  const field = "Remote-Party-ID";
  const rows: readonly Row[] = [
    ["nothing", {}, ["<sip:01087654321@pbx>;tag=called"], []],
    ["its number", { headers: [pai("tel:+861087654321")] }, [pai("tel:+861087654321")], []],
    ["its number in RPID", { headers: [`${field}: <sip:01087654321@a>;party=called`] }, [field], []],
    ["an extension in PAI", { headers: [pai("sip:8001@pbx")] }, ["From: <sip:01087654321@pbx>"], ["8001"]],
    [
      "an extension in RPID",
      { headers: [`${field}: "Agent" <sip:8001@pbx>;party=called;screen=yes;privacy=off`] },
      [],
      [field, "Agent"],
    ],
    ["a name in PAI", { headers: [pai("sip:agent@pbx")] }, [pai("sip:agent@pbx")], []],
    ["another listed number", { headers: [pai("tel:+861087654322")] }, [pai("tel:+861087654322")], []],
    ["a number that is not listed", { headers: [pai("tel:+8613900000000")] }, [], ["13900000000"]],
    ["one more value", { headers: [`${pai("tel:+861087654321")}, <tel:95588>`] }, [], ["Asserted", "95588"]],
    ["PPI", { headers: ["P-Preferred-Identity: <tel:95588>"] }, [], ["95588"]],
    ["Diversion", { headers: ["Diversion: <sip:95588@a>"] }, [], ["95588"]],
    [
      "RPID that names the Request-URI",
      { uri: "sip:95588@core", headers: [`${field}: <sip:95588@a>;party=called`] },
      [],
      [field],
    ],
    [
      "Diversion that names the Request-URI",
      { uri: "sip:95588@core", headers: ["Diversion: <sip:95588@a>"] },
      [],
      ["Diversion"],
    ],
    ["Privacy", { headers: ["Privacy: id"] }, ["Privacy: id", "<sip:01087654321@pbx>;tag"], []],
    [
      "Privacy and an extension",
      { headers: [pai("sip:8001@pbx"), "Privacy: id"] },
      ["Privacy: id"],
      ["8001"],
    ],
    [
      "display name Anonymous",
      { from: '"Anonymous" <sip:01087654321@pbx>' },
      ["<sip:01087654321@pbx>;tag=called"],
      [],
    ],
    ["a display name", { from: '"Wang" <sip:01087654321@pbx>' }, ['"Wang" <sip:01087654321@pbx>'], []],
    ["a name that misleads", { from: '"95588" <sip:01087654321@pbx>' }, ["<sip:01087654321@"], ["95588"]],
    ["From of RFC 4916, listed", { from: "<sip:+861087654322@pbx>" }, ["<sip:+861087654322@pbx>;tag="], []],
    ["From, not listed", { from: "<sip:+8613900000000@pbx>" }, [`${anonymous};tag=called`], ["1390000"]],
    ["From, a short code", { from: "<sip:95588@pbx>" }, [`${anonymous};tag=called`], ["95588"]],
    ["From, an extension", { from: "<sip:8001@pbx>" }, [`${anonymous};tag=called`], ["8001"]],
    ["From of a name", { from: "<sip:agent@pbx>" }, ["<sip:agent@pbx>;tag=called"], []],
    ["From, anonymous", { from: anonymous }, [`${anonymous};tag=called`], []],
    ["a body", { headers: [pai("tel:95588")], body: "v=0" }, ["\r\n\r\nv=0"], ["95588"]],
  ];
  for (const method of ["INVITE", "UPDATE"]) {
    for (const [what, parts, kept, gone] of rows) {
      const { outcome, text, decisions } = calledSide("<sip:01087654321@pbx>")({ method, ...parts });
      t.equal(outcome, toCore, `${method}: ${what}`);
      for (const piece of kept) t.ok(text.includes(piece), `${method}, ${what}: keeps ${piece}`);
      for (const piece of gone) t.notOk(text.includes(piece), `${method}, ${what}: without ${piece}`);
      for (const { verdict } of decisions) t.equal(verdict.kind, "accept", `${what}: no refusal is counted`);
    }
  }
});

void t.test("of the called side is refused what can't be judged, or changed", async (t) => {
  const isup = ["Content-Type: application/isup"];
  const rows: readonly [what: string, parts: RequestParts, outcome: string][] = [
    ["an ISUP part that can't be read", { headers: isup, body: "x" }, "403"],
    ["two addresses in From", { from: "<sip:01087654321@a>,<sip:95588@a>" }, "400"],
    ["BYE with another number", { method: "BYE", headers: [pai("tel:95588")] }, toCore],
    ["INFO", { method: "INFO" }, toCore],
  ];
  for (const [what, parts, outcome] of rows)
    t.equal(calledSide("<sip:01087654321@pbx>")(parts).outcome, outcome, what);
});

void t.test("the called side transfers and sends messages where the trunk carries these", async (t) => {
  const text = basicPolicy.replace(
    "- { id: lease, side: lessee,",
    "- { id: lease, side: lessee, methods: { REFER: screen, MESSAGE: screen, NOTIFY: [refer] },",
  );
  t.not(text, basicPolicy);
  const policy = compileText(text);
  for (const to of ["<sip:01087654321@pbx>", "<sip:8001@pbx>", "<sip:1002#44@pbx>"]) {
    const send = calledSide(to, { policy });
    const refer = { method: "REFER", headers: ["Refer-To: <sip:02112345678@core>"] };
    t.equal(send(refer).outcome, toCore, `REFER of ${to}`);
    t.equal(
      send({ method: "MESSAGE", headers: ["Content-Type: text/plain"], body: "hello" }).outcome,
      toCore,
      `MESSAGE of ${to}`,
    );
    t.equal(send({ method: "NOTIFY", headers: ["Event: refer"] }).outcome, toCore, `NOTIFY of ${to}`);
    const forged = send({ ...refer, headers: [...refer.headers, "Referred-By: <sip:95588@a>"] });
    t.equal(forged.outcome, toCore);
    t.notMatch(forged.text, "95588", "a referrer that is another one");
  }
});

function escaped(text: string): string {
  return text.replaceAll(/[._-]/gu, (char) => `%${char.charCodeAt(0).toString(16)}`);
}

function tokenOf(route: string): string {
  return /;sw=([^;>]+)/u.exec(route)?.[1] ?? "";
}

void t.test("our token in any spelling of its URI", async (t) => {
  const rows: readonly [what: string, write: (route: string) => string, bye: string][] = [
    ["as written", (route) => route, toCore],
    ["escapes", (route) => route.replace(tokenOf(route), escaped(tokenOf(route))), toCore],
    [
      "escapes in capitals",
      (route) => route.replace(tokenOf(route), escaped(tokenOf(route)).toUpperCase()),
      toCore,
    ],
    [
      "an escaped digit",
      (route) => route.replace(/sw=./u, (s) => `sw=%${s.charCodeAt(3).toString(16)}`),
      toCore,
    ],
    ["an escaped name", (route) => route.replace(";sw=", ";%73%57="), toCore],
    ["capitals", (route) => route.toUpperCase().replace("SIP:", "sip:"), toCore],
    ["other order", (route) => route.replace(/;lr(;sw=[^;>]+)/u, "$1;lr=on"), toCore],
    ["escaped twice", (route) => route.replaceAll("_", "%255f"), "481"],
    ["another number", (route) => route.replace("861087654321", "861087654322"), "481"],
    ["no MAC", (route) => route.replace(/\.[^.]+\.[^.]+>$/u, ">"), "481"],
    ["an escape that is none", (route) => route.replace(/sw=./u, "sw=%zz"), "481"],
  ];
  for (const [what, write, bye] of rows) {
    const proxy = createTestProxy(basic);
    const [out] = proxy.receive(peers.lessee, request());
    t.match(header(out?.text ?? "", "Record-Route"), /;sw=[a-z\d._-]+>$/u, "nothing to escape");
    const route = write(answeredRoute(proxy, out?.text ?? ""));
    const inside = { to: "<sip:x@y>;tag=called", headers: [`Route: ${route}`] };
    const send = (method: string): string =>
      outcomeOf(proxy.receive(peers.lessee, request({ ...inside, method, via: via(peers.lessee) })));
    if (bye === toCore) t.equal(send("ACK"), toCore, `${what}: ACK`);
    t.equal(send("BYE"), bye, `${what}: BYE`);
  }
  for (const write of [escaped, (text: string) => text.toUpperCase()]) {
    const proxy = createTestProxy(basic);
    const [out] = proxy.receive(
      peers.lessee,
      request({ uri: "sip:110@192.0.2.1", from: `${anonymous};tag=caller` }),
    );
    const answered = respond(out?.text ?? "", 200).replace(
      /(?<=;)sw=([^;>]+)/u,
      (_all, text: string) => `SW=${write(text)}`,
    );
    const route = header(proxy.receive(peers.core, answered)[0]?.text ?? "", "Record-Route") ?? "";
    const again = request({
      from: `${anonymous};tag=caller`,
      to: "<sip:x@y>;tag=called",
      via: via(peers.lessee),
      headers: [`Route: ${route}`],
    });
    t.equal(
      outcomeOf(proxy.receive(peers.lessee, again)),
      toCore,
      `confirmed in an answer that wrote ${route}`,
    );
  }
});
