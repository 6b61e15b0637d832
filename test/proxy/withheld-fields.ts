import { Buffer } from "node:buffer";
import t from "tap";
import {
  answeredRoute,
  basicPolicy,
  compileText,
  createTestProxy,
  header,
  headers,
  peers,
  request,
} from "../support/proxy.ts";

const policy = compileText(
  basicPolicy.replace(
    "id: intl, side: international,",
    "id: intl, side: international, rules: { home-cli-from-abroad: { roamers: withhold } },",
  ),
);

const roamer = "<sip:+8613912345678@203.0.113.20;user=phone>;tag=caller";
const via = (name: string): readonly string[] => [`SIP/2.0/UDP ${peers.abroad};branch=z9hG4bK${name}`];

/** A text in the form in which tests write messages. */
function latin1(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** The lines of these fields in the INVITE that leaves, of a call whose number is withheld. */
function leaves(lines: readonly string[], name: string, from = roamer): readonly string[] {
  const proxy = createTestProxy(policy);
  const [out] = proxy.receive(peers.abroad, request({ from, via: via("f"), headers: lines }));
  t.equal(proxy.decisions[0]?.verdict.kind, "withhold", lines.join());
  return headers(out?.text ?? "", name);
}

void t.test("a field that shows the number goes, however it spells the number", async (t) => {
  const rows: readonly (readonly [value: string, goes: boolean])[] = [
    ["+8613912345678", true],
    ["8613912345678", true],
    ["008613912345678", true],
    ["013912345678", true],
    ["13912345678", true],
    ["+86 139 1234 5678", true],
    ["+86-139-1234-5678", true],
    ["(+86) 139.1234.5678", true],
    ["139%201234%205678", true],
    ["%31%33%39%31%32%33%34%35%36%37%38", true],
    ["%2531%2533%25391234567%2538", true],
    ["<sip:+8613912345678@a;user=phone>;x=y", true],
    ["<tel:13912345678;phone-context=+86>", true],
    ['"Wang" <sip:0086139-12345678@a>', true],
    ["a;n=+8613912345678", true],
    ["17951013912345678", true],
    ["139_1234_5678", true],
    ["139/1234/5678", true],
    ["139:1234:5678", true],
    ["1|3|9|1|2|3|4|5|6|7|8", true],
    ['139"1234"5678', true],
    ["139%C2%A01234%C2%A05678", true],
    [latin1("１３９１２３４５６７８"), true],
    ["%EF%BC%9139-1234-5678", true],
    [latin1("١٣٩١٢٣٤٥٦٧٨"), true],
    [latin1("一三九 一二三四 五六七八"), true],
    [latin1("139\u200b1234\u200b5678"), true],
    [latin1("１３９１２３４５６７９"), false],
    [latin1("京华 139"), false],
    ["139=1234=5679", false],
    ["139/1234 a 5678", false],
    ["0139 1234 5678 extension 12", true],
    ["13912345679", false],
    ["+8613812345678", false],
    ["1391234567", false],
    ["12345678", false],
    ["139x1234x5678", false],
    ["2f6a4c1e13912e45678", false],
    ["kept", false],
    ["", false],
  ];
  for (const [value, goes] of rows) {
    for (const name of [
      "X-Caller",
      "Session-ID",
      "P-Asserted-Service",
      "Alert-Info",
      "Authorization",
      "Path",
    ])
      t.same(leaves([`${name}: ${value}`], name), goes ? [] : [value], `${name}: ${value}`);
  }
  const alike = "P-Preferred-Identity: <sip:+442787654321@a>";
  t.same(leaves([alike, "X-A: +442787654321"], "X-A"), [], "nor does it hide a caller whose end is the same");
});

void t.test(
  "the number of every field that names a caller or a diverting party is searched for",
  async (t) => {
    const other = "+442079460123";
    for (const field of [
      `P-Preferred-Identity: <sip:${other}@a>`,
      `Remote-Party-ID: <sip:${other}@a>;party=calling`,
    ]) {
      t.same(leaves([field, `X-A: ${other}`], "X-A"), [], field);
      t.same(leaves([field, "X-A: 020 7946 0123"], "X-A"), [], `${field}: without its country`);
      t.same(leaves([field, "X-A: 7946 0123"], "X-A"), [], `${field}: without its area`);
      t.same(leaves([field, "X-A: 7946 0124"], "X-A"), ["7946 0124"], `${field}: near miss`);
    }
    t.same(
      leaves(
        ["Remote-Party-ID: <sip:02787654321@a>;party=called", "P-Called-Party-ID: <tel:+862787654321>"],
        "P-Called-Party-ID",
      ),
      ["<tel:+862787654321>"],
      "near miss: the called number may be shown",
    );
  },
);

void t.test("fields that say who calls go whatever they hold; those that calls need stay", async (t) => {
  for (const name of [
    "P-Charge-Info",
    "P-Served-User",
    "P-Associated-URI",
    "P-Profile-Key",
    "P-User-Database",
    "P-Access-Network-Info",
    "Cellular-Network-Info",
    "Additional-Identity",
    "CC-Diversion",
    "User-to-User",
    "Identity",
    "Subject",
    "Reply-To",
  ])
    t.same(leaves([`${name}: 7a2b`], name), [], name);
  t.same(leaves(["b: <sip:someone@a>"], "b"), [], "compact");
  t.same(leaves(["p-charge-info: 7a2b"], "p-charge-info"), [], "in any case");
  t.same(leaves(["User-to-User: 043133393132333435363738;encoding=hex"], "User-to-User"), [], "hexadecimal");
  const contact = "<sip:+8613912345678@203.0.113.20:5060>";
  t.same(leaves([`Contact: ${contact}`], "Contact"), [contact], "requests of the dialog go there");
});

void t.test("everything that the calling side sends", async (t) => {
  const proxy = createTestProxy(policy);
  const lines = ["X-Caller: 139-1234-5678", "P-Charge-Info: <tel:+8613912345678>", "X-Other: kept"];
  const invite = { from: roamer, via: via("i"), callId: "w" };
  const out = proxy.receive(peers.abroad, request({ ...invite, headers: lines }))[0]?.text ?? "";
  const route = answeredRoute(proxy, out);
  const check = (text: string, what: string): void => {
    t.notMatch(text, "1234-5678", what);
    t.same(headers(text, "P-Charge-Info"), [], what);
    t.same(headers(text, "X-Other"), ["kept"], what);
    t.match(header(text, "From"), "anonymous.invalid", what);
  };
  check(out, "INVITE");
  for (const method of ["CANCEL", "ACK"]) {
    const parts = { ...invite, method, cseq: `1 ${method}`, headers: lines };
    const to = method === "ACK" ? { to: "<sip:1@a>;tag=c" } : {};
    check(proxy.receive(peers.abroad, request({ ...parts, ...to }))[0]?.text ?? "", method);
  }
  const later = createTestProxy(policy);
  for (const method of ["ACK", "PRACK", "INFO", "INVITE", "UPDATE", "BYE"]) {
    const parts = {
      method,
      from: roamer,
      to: "<sip:02787654321@192.0.2.1>;tag=called",
      callId: "w",
      via: via(method),
      headers: [`Route: ${route}`, ...lines],
    };
    check(later.receive(peers.abroad, request(parts))[0]?.text ?? "", `${method}, on another node`);
  }
});
