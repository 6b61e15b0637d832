import t from "tap";
import {
  answeredRoute,
  basicPolicy,
  compileText,
  createTestProxy,
  header,
  headers,
  outcomeOf,
  peers,
  request,
  respond,
  type TestProxy,
} from "../support/proxy.ts";

/** {@link basicPolicy}, with these keys on the trunks `lease` and `intl`. */
function proxyWith(keys: { lease?: string; intl?: string }): TestProxy {
  return createTestProxy(
    compileText(
      basicPolicy
        .replace("id: lease, side: lessee,", () => `id: lease, side: lessee, ${keys.lease ?? "mode: proxy"},`)
        .replace(
          "id: intl, side: international,",
          () => `id: intl, side: international, ${keys.intl ?? "mode: proxy"},`,
        ),
    ),
  );
}

/** What is left of a forwarded request when what forwarding itself changes is undone. */
function unforwarded(text: string): string {
  return text
    .replace(/^Via: SIP\/2\.0\/UDP 192\.0\.2\.1.*\r\n/mu, "")
    .replace(/^Record-Route: .*\r\n/mu, "")
    .replace("Max-Forwards: 69", "Max-Forwards: 70");
}

const own = "+861087654321";

void t.test("with privacy=name, the names of the caller go, and its numbers stay", async (t) => {
  const rows: readonly (readonly [params: string, isHidden: boolean])[] = [
    [";privacy=name", true],
    [";party=calling;privacy=name;screen=yes", true],
    [';Privacy="NAME"', true],
    [";privacy=name-network", true],
    [";privacy=name,off;screen=yes", true],
    ["", false],
    [";privacy=off", false],
    [";privacy=ipaddr", false],
    [";x-privacy=name", false],
    [`;party=calling, "Ops" <sip:02787654321@a>;party=called;privacy=name`, false],
  ];
  for (const [params, isHidden] of rows) {
    const proxy = createTestProxy(compileText(basicPolicy));
    const invite = request({
      from: `"Ops" <sip:${own}@a>;tag=1`,
      headers: [
        `P-Asserted-Identity: "Ops" <sip:${own}@a>`,
        `Remote-Party-ID: "Ops" <sip:${own}@a>${params}`,
      ],
    });
    const text = proxy.receive(peers.lessee, invite)[0]?.text ?? "";
    const name = isHidden ? "" : '"Ops" ';
    t.same(headers(text, "From"), [`${name}<sip:${own}@a>;tag=1`], params);
    t.same(headers(text, "P-Asserted-Identity"), [`${name}<sip:${own}@a>`], params);
    if (!params.includes("called"))
      t.same(headers(text, "Remote-Party-ID"), [`${name}<sip:${own}@a>${params}`], params);
    t.equal(proxy.receive(peers.lessee, invite)[0]?.text, text, `${params}: its repeat`);
  }
});

void t.test("Remote-Party-ID that names the called party goes, and no other", async (t) => {
  const rows: readonly (readonly [name: string, value: string, stays: boolean])[] = [
    ["of the called party", "<sip:02787654321@a>;party=called", false],
    ["in another case, behind other parameters", "<sip:02787654321@a>;screen=yes;Party=Called", false],
    ["beside one of the caller", `<sip:${own}@a>;party=calling, <sip:02787654321@a>;party=called`, false],
    ["of the caller", `<sip:${own}@a>;party=calling`, true],
    ["of nobody said", `<sip:${own}@a>`, true],
    ["a display name that says so", `"party=called" <sip:${own}@a>;party=calling`, true],
  ];
  for (const [name, value, stays] of rows) {
    const proxy = createTestProxy(compileText(basicPolicy));
    const invite = request({ headers: [`Remote-Party-ID: ${value}`] });
    const [out] = proxy.receive(peers.lessee, invite);
    t.equal(outcomeOf(out === undefined ? [] : [out]), `to ${peers.core}`, name);
    t.same(headers(out?.text ?? "", "Remote-Party-ID"), stays ? [value] : [], name);
    t.equal(proxy.receive(peers.lessee, invite)[0]?.text, out?.text, `${name}: its repeat`);
  }
});

void t.test("strip: fields go after they were judged, and nothing else changes", async (t) => {
  const proxy = proxyWith({ lease: "strip: [remote-party-id, P-Preferred-Identity, s, Identity]" });
  const kept = [
    "Contact: <sip:pbx@203.0.113.10:5060>",
    "X-Odd  :  kept \t as is  ",
    "Subjects: another field",
  ];
  const stripped = [
    `REMOTE-PARTY-ID: <sip:${own}@a>;party=calling`,
    `P-preferred-identity : <sip:${own}@a>`,
    "Subject: long form",
    "s: compact form",
    "y: eyJhbGci",
    "S:\r\n folded",
  ];
  const mixed = [
    stripped[0],
    kept[0],
    stripped[1],
    stripped[2],
    kept[1],
    stripped[3],
    kept[2],
    ...stripped.slice(4),
  ];
  const invite = request({ headers: mixed.map(String), body: "v=0\r\nSubject: of the body\r\n" });
  const [out] = proxy.receive(peers.lessee, invite);
  t.equal(unforwarded(out?.text ?? ""), request({ headers: kept, body: "v=0\r\nSubject: of the body\r\n" }));

  proxy.policy = compileText(basicPolicy);
  const [again] = proxy.receive(peers.lessee, invite);
  t.equal(again?.text, out?.text, "a repeat is sent on with the same bytes under another policy");

  const fresh = proxyWith({ lease: "strip: [Remote-Party-ID]" });
  const forged = request({ headers: ["Remote-Party-ID: <sip:+861087654400@a>;party=calling"] });
  t.equal(outcomeOf(fresh.receive(peers.lessee, forged)), "403", "what is removed was judged first");
  const first = ["Subject: x", "Via: SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKfirst"];
  const early = request({ via: [] }).replace("\r\n", `\r\n${first.join("\r\n")}\r\n`);
  const [moved] = proxyWith({ lease: "strip: [Subject]" }).receive(peers.lessee, early);
  t.notMatch(moved?.text, "Subject", "the first field of all");
  t.equal(headers(moved?.text ?? "", "Record-Route").length, 1);
});

void t.test("strip: in a dialog where the caller may change, not elsewhere", async (t) => {
  const proxy = proxyWith({ lease: "strip: [P-Preferred-Identity]" });
  const route = answeredRoute(proxy, proxy.receive(peers.lessee, request())[0]?.text ?? "");
  const inside = (method: string): string =>
    proxy.receive(
      peers.lessee,
      request({
        method,
        to: "<sip:02787654321@192.0.2.1>;tag=called",
        via: [`SIP/2.0/UDP ${peers.lessee};branch=z9hG4bK${method}`],
        headers: [`Route: ${route}`, `P-Preferred-Identity: <sip:${own}@a>`],
      }),
    )[0]?.text ?? "";
  for (const method of ["INVITE", "UPDATE"])
    t.equal(header(inside(method), "P-Preferred-Identity"), undefined, method);
  t.equal(header(inside("BYE"), "P-Preferred-Identity"), `<sip:${own}@a>`, "BYE");
});

void t.test("stripVerstat: a peer's word for its own verification goes, wherever it stands", async (t) => {
  const proxy = proxyWith({ lease: "stripVerstat: true" });
  // as received, as sent on
  const rows = [
    [`<tel:${own};verstat=TN-Validation-Passed>`, `<tel:${own}>`],
    [`<sip:${own};verstat=TN-Validation-Passed@a>`, `<sip:${own}@a>`],
    [`"B" <sip:${own};VERSTAT=x;npdi@a;user=phone>`, `"B" <sip:${own};npdi@a;user=phone>`],
    [`<sip:${own}@a;user=phone;verstat=x>;p=1`, `<sip:${own}@a;user=phone>;p=1`],
    [`<sip:${own}@a>;verstat=x;p=1`, `<sip:${own}@a>;p=1`],
    [`<sip:${own};%76erstat=x@a>`, `<sip:${own}@a>`],
    [`<sip:${own};verstat@a>, <tel:${own};verstat=x>`, `<sip:${own}@a>, <tel:${own}>`],
    [`<sip:${own};verstatus=x@a>`, `<sip:${own};verstatus=x@a>`],
    [`"verstat=x" <sip:${own}@a>`, `"verstat=x" <sip:${own}@a>`],
  ] as const;
  for (const [index, [received, sent]] of rows.entries()) {
    const via = [`SIP/2.0/UDP ${peers.lessee};branch=z9hG4bKv${index}`];
    const [out] = proxy.receive(
      peers.lessee,
      request({ via, headers: [`P-Asserted-Identity: ${received}`] }),
    );
    t.equal(header(out?.text ?? "", "P-Asserted-Identity"), sent, received);
  }
  const from = `<sip:${own};verstat=TN-Validation-Passed@a>;tag=caller`;
  const [out] = proxy.receive(
    peers.lessee,
    request({ from, via: [`SIP/2.0/UDP ${peers.lessee};branch=z9hG4bKf`] }),
  );
  t.equal(header(out?.text ?? "", "From"), `<sip:${own}@a>;tag=caller`);
  const [kept] = createTestProxy().receive(peers.lessee, request({ from }));
  t.equal(header(kept?.text ?? "", "From"), from, "only where it is asked for");
});

void t.test("display-name: misleading names go, the rest stays byte for byte", async (t) => {
  const proxy = createTestProxy();
  const pai = `"Bank"  <sip:${own}@a>;p=1 , Bank <tel:${own}>`;
  const invite = request({
    from: `"95588 \\"ICBC\\""  <sip:${own}@203.0.113.10>;tag=caller`,
    headers: [`P-Asserted-Identity: ${pai}`, 'Contact: "95588" <sip:pbx@203.0.113.10:5060>'],
  });
  const [out] = proxy.receive(peers.lessee, invite);
  t.equal(header(out?.text ?? "", "From"), `<sip:${own}@203.0.113.10>;tag=caller`);
  t.equal(header(out?.text ?? "", "P-Asserted-Identity"), `<sip:${own}@a>;p=1 , <tel:${own}>`);
  t.match(header(out?.text ?? "", "Contact"), "95588", "what routes stays");
  t.match(proxy.decisions[0]?.verdict, { kind: "accept", reason: "listed" });
  t.equal(proxy.counters.trunks.get("lease")?.namesRemoved, 1);
  const sincere = request({
    from: `"Jinghua Bank" <sip:${own}@203.0.113.10>;tag=caller`,
    via: [`SIP/2.0/UDP ${peers.lessee};branch=z9hG4bKsincere`],
  });
  t.equal(unforwarded(proxy.receive(peers.lessee, sincere)[0]?.text ?? ""), sincere);

  // A name may come later (RFC 4916).
  const route = answeredRoute(proxy, out?.text ?? "");
  const update = (display: string, branch: string): string | undefined => {
    const [sent] = proxy.receive(
      peers.lessee,
      request({
        method: "UPDATE",
        from: `${display} <sip:${own}@203.0.113.10>;tag=caller`,
        to: "<sip:02787654321@192.0.2.1>;tag=called",
        via: [`SIP/2.0/UDP ${peers.lessee};branch=z9hG4bK${branch}`],
        headers: [`Route: ${route}`],
      }),
    );
    return header(sent?.text ?? "", "From");
  };
  t.equal(update('"110"', "u1"), `<sip:${own}@203.0.113.10>;tag=caller`, "UPDATE");
  t.match(update('"Bank"', "u2"), /^"Bank" /u);
  t.equal(proxy.decisions.length, 3, "only what misleads is judged again");
});

const roamer = "<sip:+8613912345678@203.0.113.20>;tag=caller";
const roaming = (verdict: string, more = ""): { intl: string } => ({
  intl: `rules: { home-cli-from-abroad: { roamers: ${verdict} } }${more}`,
});

void t.test(
  "label: a field that machines read, and a name that people see where it is asked for",
  async (t) => {
    const plain = proxyWith(roaming("label"));
    const call = { from: roamer, via: [`SIP/2.0/UDP ${peers.abroad};branch=z9hG4bKl`] };
    const invite = request(call);
    const [out] = plain.receive(peers.abroad, invite);
    t.equal(header(out?.text ?? "", "P-Sigwall-Label"), "home-cli-from-abroad");
    t.equal(unforwarded(out?.text ?? "").replace(/^P-Sigwall-Label: .*\r\n/mu, ""), invite, "nothing else");
    t.match(plain.decisions[0]?.verdict, { kind: "label", reason: "home-cli-from-abroad" });
    plain.policy = compileText(basicPolicy);
    t.equal(plain.receive(peers.abroad, invite)[0]?.text, out?.text, "a repeat has it too");

    const shown = proxyWith(
      roaming("label", ', label: { text: "not \\"verified\\"", displayName: "[未核实]" }'),
    );
    const prefix = Buffer.from("[未核实]").toString("latin1");
    // as received, as sent on
    const rows = [
      ["<sip:+8613912345678@a>", `"${prefix}" <sip:+8613912345678@a>`],
      ['"Wang" <sip:+8613912345678@a>', `"${prefix} Wang" <sip:+8613912345678@a>`],
      ["Wang  Wu<sip:+8613912345678@a>", `"${prefix} Wang  Wu" <sip:+8613912345678@a>`],
      ["sip:+8613912345678@a;p=1", `"${prefix}" <sip:+8613912345678@a>;p=1`],
      [
        "<tel:+8613912345678>, <sip:+8613912345678@a>",
        `"${prefix}" <tel:+8613912345678>, "${prefix}" <sip:+8613912345678@a>`,
      ],
    ] as const;
    for (const [index, [received, sent]] of rows.entries()) {
      const via = [`SIP/2.0/UDP ${peers.abroad};branch=z9hG4bKl${index}`];
      const [labelled] = shown.receive(
        peers.abroad,
        request({ ...call, via, headers: [`P-Asserted-Identity: ${received}`] }),
      );
      t.equal(header(labelled?.text ?? "", "P-Asserted-Identity"), sent, received);
      t.equal(header(labelled?.text ?? "", "From"), `"${prefix}" ${roamer}`);
      t.equal(
        header(labelled?.text ?? "", "P-Sigwall-Label"),
        'home-cli-from-abroad;text="not \\"verified\\""',
      );
    }

    // A re-INVITE gets the label again.
    const [begun] = plain.receive(
      peers.abroad,
      request({ ...call, via: [`SIP/2.0/UDP ${peers.abroad};branch=z9hG4bKx`] }),
    );
    t.equal(outcomeOf([begun].flatMap((sent) => sent ?? [])), "403", "the new policy refuses roamers");
    const route = answeredRoute(
      shown,
      shown.receive(
        peers.abroad,
        request({ ...call, via: [`SIP/2.0/UDP ${peers.abroad};branch=z9hG4bKy`] }),
      )[0]?.text ?? "",
    );
    const [again] = shown.receive(
      peers.abroad,
      request({
        ...call,
        to: "<sip:02787654321@192.0.2.1>;tag=called",
        via: [`SIP/2.0/UDP ${peers.abroad};branch=z9hG4bKz`],
        headers: [`Route: ${route}`],
      }),
    );
    t.match(header(again?.text ?? "", "P-Sigwall-Label"), "home-cli-from-abroad", "re-INVITE");
  },
);

void t.test("label: nobody but us sets it", async (t) => {
  const proxy = createTestProxy();
  const forged = ["P-Sigwall-Label: verified", "p-sigwall-label:\r\n trusted"];
  const [out] = proxy.receive(peers.lessee, request({ headers: forged }));
  t.notMatch(out?.text.toLowerCase(), "p-sigwall-label", "INVITE");
  const route = answeredRoute(proxy, out?.text ?? "");
  const [bye] = proxy.receive(
    peers.lessee,
    request({
      method: "BYE",
      to: "<sip:02787654321@192.0.2.1>;tag=called",
      via: [`SIP/2.0/UDP ${peers.lessee};branch=z9hG4bKb`],
      headers: [`Route: ${route}`, ...forged],
    }),
  );
  t.notMatch(bye?.text.toLowerCase(), "p-sigwall-label", "BYE");
  const answer = respond(bye?.text ?? "", 200).replace("\r\n\r\n", "\r\nP-Sigwall-Label: x\r\n\r\n");
  t.notMatch(proxy.receive(peers.core, answer)[0]?.text.toLowerCase(), "p-sigwall-label", "an answer");
  const [kept] = proxy.receive(
    peers.core,
    request({
      uri: "sip:203.0.113.10:5060",
      via: [`SIP/2.0/UDP ${peers.core};branch=z9hG4bKk`],
      headers: forged,
    }),
  );
  t.match(kept?.text, "P-Sigwall-Label: verified", "another filter of ours may stand behind the core");
});
