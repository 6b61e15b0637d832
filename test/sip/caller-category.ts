import { Buffer } from "node:buffer";
import t from "tap";
import { readPrivilege } from "../../src/sip/attempt/caller-category.ts";
import { createMessage } from "../../src/sip/message.ts";
import { scan } from "../../src/sip/scan.ts";
import { basicPolicy, compileText, createTestProxy, outcomeOf, peers, request } from "../support/proxy.ts";

const message = createMessage();

void t.test("the category of the caller, cpc", async (t) => {
  const rows: readonly (readonly [field: string, privilege: string | undefined])[] = [
    ["From: <sip:+861087654321@a>;tag=c", undefined],
    ["From: <sip:+861087654321;cpc=ordinary@a;user=phone>;tag=c", undefined],
    ["From: <sip:+861087654321;cpc=payphone@a>;tag=c", undefined],
    ["From: <sip:+861087654321;cpc=unknown@a>;tag=c", undefined],
    ["From: <sip:+861087654321;cpc=mobile-hplmn@a>;tag=c", undefined],
    ["From: <sip:+861087654321;cpc=Ordinary@a>;tag=c", undefined],
    ["From: <sip:+861087654321;cpc=@a>;tag=c", undefined],
    ["From: <sip:+861087654321;cpc@a>;tag=c", undefined],
    ["From: <sip:+861087654321;xcpc=police@a>;tag=c", undefined],
    ["From: <sip:+861087654321;cpcx=police@a>;tag=c", undefined],
    ["From: <sip:cpc=police@a>;tag=c", undefined],
    ['From: "a;cpc=police" <sip:+861087654321@a>;tag=c', undefined],
    ["From: <sip:+861087654321;cpc=police@a>;tag=c", "police"],
    ["From: <sip:+861087654321;cpc=operator@a>;tag=c", "operator"],
    ["From: <sip:+861087654321;cpc=test@a>;tag=c", "test"],
    ["From: <sip:+861087654321;cpc=priority@a>;tag=c", "priority"],
    ["From: <sip:+861087654321;cpc=nobody-knows@a>;tag=c", "nobody-knows"],
    ["From: <sip:+861087654321;CPC=Police@a>;tag=c", "police"],
    ["From: <sip:+861087654321; cpc = police@a>;tag=c", "police"],
    ['From: <sip:+861087654321;cpc="police"@a>;tag=c', "police"],
    ["From: <sip:+861087654321;%63pc=poli%63e@a>;tag=c", "police"],
    ["From: <sip:+861087654321%3Bcpc=police@a>;tag=c", "police"],
    ["From: <sip:+861087654321;cpc=ordinary;cpc=police@a>;tag=c", "police"],
    ["From: <sip:+861087654321@a;cpc=police>;tag=c", "police"],
    ["From: <sip:+861087654321@a>;tag=c;cpc=police", "police"],
    ["From: <tel:+861087654321;cpc=police>;tag=c", "police"],
    ['From: "a;b" <tel:+861087654321;cpc=police>;tag=c', "police"],
    ["P-Asserted-Identity: <tel:+861087654321;cpc=operator>", "operator"],
    ["P-Asserted-Identity: <sip:alice@a>, <tel:+861087654321;cpc=operator>", "operator"],
    ["P-Preferred-Identity: <tel:+861087654321;cpc=operator>", "operator"],
    ["Remote-Party-ID: <sip:+861087654321@a>;party=calling;cpc=operator", "operator"],
    ["Contact: <tel:+861087654321;cpc=operator>", undefined],
    [`From: <tel:+861087654321;cpc=${"x".repeat(50)}>;tag=c`, "x".repeat(32)],
  ];
  for (const [field, privilege] of rows) {
    const from = field.startsWith("From: ") ? { from: field.slice(6) } : { headers: [field] };
    scan(message, Buffer.from(request(from), "latin1"));
    t.equal(readPrivilege(message), privilege, field);
  }
});

void t.test("a caller with a privilege, by side of the trunk", async (t) => {
  const national = basicPolicy.replace("id: intl, side: international,", "id: intl, side: national,");
  const allowing = basicPolicy.replace(
    "id: lease, ",
    "id: lease, rules: { number-class: { categories: [Police] } }, ",
  );
  const rows: readonly (readonly [string, policy: string, from: string, user: string, outcome: string])[] = [
    ["a lessee", basicPolicy, peers.lessee, "+861087654321;cpc=police", "number-class"],
    ["near miss: ordinary", basicPolicy, peers.lessee, "+861087654321;cpc=ordinary", `to ${peers.core}`],
    ["allowed there", allowing, peers.lessee, "+861087654321;cpc=police", `to ${peers.core}`],
    ["another one", allowing, peers.lessee, "+861087654321;cpc=operator", "number-class"],
    ["allowed, and not listed", allowing, peers.lessee, "+861087654400;cpc=police", "cli-not-listed"],
    ["from abroad", basicPolicy, peers.abroad, "+442079460000;cpc=operator", "number-class"],
    ["national", national, peers.abroad, "+862161234567;cpc=operator", `to ${peers.core}`],
  ];
  for (const [name, policy, peer, user, outcome] of rows) {
    const proxy = createTestProxy(compileText(policy));
    const sent = proxy.receive(peer, request({ from: `<sip:${user}@a;user=phone>;tag=c` }));
    const verdict = proxy.decisions[0]?.verdict;
    t.equal(verdict?.kind === "reject" ? verdict.reason : outcomeOf(sent), outcome, name);
  }
  const proxy = createTestProxy();
  const call = request({ uri: "sip:110@a", from: "<sip:+861087650000;cpc=police@a>;tag=c" });
  t.equal(outcomeOf(proxy.receive(peers.lessee, call)), `to ${peers.core}`, "an emergency call");
});
