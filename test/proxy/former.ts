// Calls that began through 0.1.0, and go on through the filter of today with the same key.
import { readFileSync } from "node:fs";
import { Buffer } from "node:buffer";
import t, { type Test } from "tap";
import { trunkTag } from "../../src/proxy/memory/dialog-token.ts";
import { createKeyedTags } from "../../src/sip/tag.ts";
import {
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

const HOUR = 3_600_000;

/** The messages of the page, by the words behind `sip`. */
function readMessages(path: string): ReadonlyMap<string, string> {
  const messages = new Map<string, string>();
  for (const [, name = "", text = ""] of readFileSync(path, "utf8").matchAll(
    /^```sip (.+)\n([^`]+)\n```$/gmu,
  )) {
    messages.set(name, `${text.replaceAll("\n", "\r\n")}\r\n\r\n`);
  }
  return messages;
}

const messages = readMessages("test/proxy/former/calls.md");

function messageOf(name: string): string {
  const text = messages.get(name);
  if (text === undefined) throw new Error(`no message "${name}"`);
  return text;
}

/** The filter that an operator starts in place of 0.1.0. */
function startAnew(policy = basicPolicy): TestProxy {
  const proxy = createTestProxy(compileText(policy));
  // Its first tick is when it was started.
  proxy.proxy.tick(proxy.now);
  return proxy;
}

const withholding = basicPolicy.replace(
  "lessees:",
  "rules: { home-cli-from-abroad: { roamers: withhold } }\nlessees:",
);

/** One call of the page: who is at either end, and what its two sides put into their requests. */
interface FormerCall {
  readonly name: string;
  readonly caller: string;
  readonly called: string;
  readonly policy: string;
}

const calls: readonly FormerCall[] = [
  { name: "outgoing", caller: peers.lessee, called: peers.core, policy: basicPolicy },
  { name: "incoming", caller: peers.core, called: peers.lessee, policy: basicPolicy },
  { name: "six", caller: peers.sixth, called: peers.core, policy: basicPolicy },
  { name: "withheld", caller: peers.abroad, called: peers.core, policy: withholding },
];

const isOfCore = (peer: string): boolean => peer === peers.core;

let branches = 0;

/** A request inside the dialog from the caller; the route set is the Record-Route of the answer, in reverse (RFC 3261 section 12.1.2). */
function fromCaller({ name, caller }: FormerCall, method: string, more: readonly string[] = []): string {
  const answer = messageOf(`${name} answer`);
  const routes = headers(answer, "Record-Route").toReversed();
  return request({
    method,
    uri: (header(answer, "Contact") ?? "").slice(1, -1),
    via: [`SIP/2.0/UDP ${caller};branch=z9hG4bKafter${branches++}`],
    from: callerOf(name),
    to: header(answer, "To") ?? "",
    callId: header(answer, "Call-ID") ?? "",
    cseq: `${method === "ACK" ? 1 : 2} ${method}`,
    headers: [...routes.map((route) => `Route: ${route}`), ...more],
  });
}

/** The From of the calling side, which never learns that its number is withheld. */
function callerOf(name: string): string {
  if (name === "withheld") return "<sip:+8613912345678@203.0.113.20>;tag=caller";
  return header(messageOf(`${name} answer`), "From") ?? "";
}

/** A request inside the dialog from the called side, whose route set is that of the INVITE. */
function fromCalled({ name, called }: FormerCall, method: string, more: readonly string[] = []): string {
  const invite = messageOf(`${name} invite`);
  const answer = messageOf(`${name} answer`);
  return request({
    method,
    uri: (header(invite, "Contact") ?? "").slice(1, -1),
    via: [`SIP/2.0/UDP ${called};branch=z9hG4bKafter${branches++}`],
    from: header(answer, "To") ?? "",
    to: header(invite, "From") ?? "",
    callId: header(invite, "Call-ID") ?? "",
    cseq: `7 ${method}`,
    headers: [...headers(invite, "Record-Route").map((route) => `Route: ${route}`), ...more],
  });
}

/** Plays everything that a dialog may bring; all of it passes. */
function playDialog(t: Test, proxy: TestProxy, call: FormerCall): void {
  const { name, caller, called } = call;
  for (const method of ["ACK", "INVITE", "UPDATE", "INFO", "BYE"]) {
    t.equal(outcomeOf(proxy.receive(caller, fromCaller(call, method))), `to ${called}`, `${name}: ${method}`);
  }
  for (const method of ["INVITE", "UPDATE", "BYE"]) {
    t.equal(
      outcomeOf(proxy.receive(called, fromCalled(call, method))),
      `to ${caller}`,
      `${name}: ${method} of the called side`,
    );
  }
}

void t.test("answers to an INVITE that 0.1.0 forwarded go to the calling side", async (t) => {
  for (const { name, caller, called, policy } of calls) {
    const proxy = startAnew(policy);
    const invite = messageOf(`${name} invite`);
    for (const status of [180, 183, 200, 486]) {
      const [sent] = proxy.receive(called, respond(invite, status, { contact: "<sip:a@198.51.100.1:5060>" }));
      t.equal(sent?.to, caller, `${name}: ${status}`);
      t.equal(headers(sent?.text ?? "", "Via").length, 1, "our Via is gone");
    }
    const [answered] = proxy.receive(called, respond(invite, 200));
    t.same(
      headers(answered?.text ?? "", "Record-Route"),
      headers(messageOf(`${name} answer`), "Record-Route"),
      `${name}: the answer confirms the dialog as 0.1.0 does`,
    );
    t.equal(outcomeOf(proxy.receive(peers.stranger, respond(invite, 200))), "nothing", "from elsewhere");
    t.same(proxy.faults, []);
  }
});

void t.test("ACK, BYE and changes pass from both sides", async (t) => {
  for (const call of calls) {
    const proxy = startAnew(call.policy);
    playDialog(t, proxy, call);
    const verdicts = proxy.decisions.map(({ verdict }) => verdict.kind);
    // A withheld number does not stand in the token, so that INVITE and UPDATE are judged: withheld again.
    t.same(verdicts, call.name === "withheld" ? ["withhold", "withhold"] : [], call.name);
    t.same(proxy.faults, []);
  }
});

void t.test("a re-INVITE is judged as before", async (t) => {
  const [outgoing, incoming, , fromAbroad] = calls;
  if (outgoing === undefined || incoming === undefined || fromAbroad === undefined)
    throw new Error("no calls");
  const proxy = startAnew();
  const change = (call: FormerCall, method: string, more: readonly string[]): string =>
    outcomeOf(proxy.receive(call.caller, fromCaller(call, method, more)));
  t.equal(
    change(outgoing, "INVITE", ["P-Asserted-Identity: <tel:+861087654322>"]),
    `to ${peers.core}`,
    "listed",
  );
  t.match(proxy.decisions.splice(0), [{ verdict: { reason: "listed" } }], "by the rules");
  t.equal(change(outgoing, "INVITE", ["P-Asserted-Identity: <tel:95588>"]), "403", "a forged caller");
  t.equal(change(outgoing, "UPDATE", ["Privacy: id"]), "433", "a hidden caller");
  const [shown] = proxy.receive(
    peers.lessee,
    fromCalled(incoming, "UPDATE", ["P-Asserted-Identity: <tel:95588>"]),
  );
  t.equal(shown?.to, peers.core, "the called side is no caller");
  t.same(headers(shown?.text ?? "", "P-Asserted-Identity"), [], "what it may not show is taken out");
  t.equal(
    outcomeOf(proxy.receive(peers.second, fromCaller(outgoing, "BYE"))),
    "481",
    "another trunk has no part in the dialog",
  );
  const unconfirmed = fromCaller(outgoing, "INVITE").replace(/(sw=[^>]+)![0-9a-f]{24}>/u, "$1>");
  t.equal(outcomeOf(proxy.receive(peers.lessee, unconfirmed)), `to ${peers.core}`);
  t.match(
    proxy.decisions.at(-1),
    { verdict: { reason: "listed" } },
    "without a confirmation it is a new call",
  );

  const hiding = startAnew(withholding);
  const [again] = hiding.receive(peers.abroad, fromCaller(fromAbroad, "INVITE"));
  t.equal(again?.to, peers.core);
  t.notMatch(again?.text ?? "", "13912345678", "what was withheld stays so");
  t.equal(header(again?.text ?? "", "Privacy"), "id");
});

void t.test("CANCEL, and the ACK of a refusal, have the branch of 0.1.0's INVITE", async (t) => {
  const former = header(messageOf("outgoing cancel"), "Via") ?? "";
  t.equal(header(messageOf("outgoing invite"), "Via"), former);
  for (const method of ["CANCEL", "ACK"]) {
    const proxy = startAnew();
    const [sent] = proxy.receive(
      peers.lessee,
      request({
        method,
        cseq: `1 ${method}`,
        headers: [],
        ...(method === "ACK" ? { to: "<sip:02787654321@192.0.2.1>;tag=called" } : {}),
      }),
    );
    t.equal(sent?.to, peers.core, method);
    t.equal(
      header(sent?.text ?? "", "Via"),
      former,
      `${method}: to the end of the branch, and no parameter behind it`,
    );
  }
});

void t.test(
  "a repeat of an INVITE that 0.1.0 forwarded is judged, and goes on under the same branch",
  async (t) => {
    const proxy = startAnew();
    const [sent] = proxy.receive(peers.lessee, request());
    t.equal(sent?.to, peers.core);
    t.match(header(sent?.text ?? "", "Via"), `${header(messageOf("outgoing invite"), "Via") ?? ""};sw=`);
    t.equal(proxy.decisions.length, 1);
  },
);

void t.test("tokens of 0.1.0 are taken for 24 h after the start", async (t) => {
  for (const call of calls) {
    const proxy = startAnew(call.policy);
    proxy.now += 24 * HOUR - 1;
    playDialog(t, proxy, call);
    proxy.now += 1;
    for (const [from, text] of [
      [call.caller, fromCaller(call, "INVITE")],
      [call.called, fromCalled(call, "INVITE")],
      [call.caller, fromCaller(call, "BYE")],
      [call.called, fromCalled(call, "BYE")],
    ] as const) {
      const outcome = outcomeOf(proxy.receive(from, text));
      if (!isOfCore(from))
        t.equal(outcome, "481", `${call.name}: ${text.slice(0, 6)} from ${from}, 24 h later`);
      else t.not(outcome, "481", `${call.name}: the core needs no proof: ${outcome}`);
    }
    if (!isOfCore(call.caller))
      t.equal(
        outcomeOf(proxy.receive(call.caller, fromCaller(call, "ACK"))),
        "nothing",
        "an ACK has no answer",
      );
    t.equal(
      proxy.receive(call.called, respond(messageOf(`${call.name} invite`), 200))[0]?.to,
      call.caller,
      `${call.name}: a late answer needs no token`,
    );
  }
});

/** What becomes of a request with this token, long after the start. */
function withToken(method: string, token: string, more: readonly string[] = []): string {
  const proxy = startAnew();
  proxy.now += 1000 * HOUR;
  return outcomeOf(
    proxy.receive(
      peers.lessee,
      request({
        method,
        callId: "first",
        to: "<sip:x@y>;tag=called",
        headers: [`Route: <sip:192.0.2.1:5060;lr;sw=${token}>`, ...more],
      }),
    ),
  );
}

void t.test("the first tokens of 0.2.0 hold, and authorise whom they name", async (t) => {
  const key = createKeyedTags(Buffer.from("0123456789abcdef"));
  const trunks = `${trunkTag(key, "lease")}!${trunkTag(key, "core")}`;
  const claims = `${"A".repeat(16)}!${trunks}!!~861087654321!203.0.113.10_5060!198.51.100.1_5060`;
  const mac = key.mac("dialog", `${claims}\nfirst\ncaller`);
  const seal = key.mac("dialog", `confirmed\n${mac}\nfirst\ncalled`);
  const token = `${claims}!${mac}!${seal}`;
  const escaped = token.replaceAll("!", "%21").replaceAll("~", "%7E");
  for (const text of [token, escaped])
    for (const method of ["ACK", "INVITE", "UPDATE", "BYE"])
      t.equal(withToken(method, text), `to ${peers.core}`, `${method} with ${text}`);
  t.equal(withToken("UPDATE", token, ["P-Asserted-Identity: <tel:95588>"]), "403");
  t.equal(withToken("UPDATE", token, ["Privacy: id"]), "433");
  t.equal(withToken("BYE", token.replace("~861087654321", "~861087654322")), "481", "a changed claim");
});

void t.test("another key knows nothing of the calls before", async (t) => {
  const proxy = createTestProxy(compileText(basicPolicy), { key: "another key, as long" });
  for (const call of calls.slice(0, 1)) {
    t.equal(outcomeOf(proxy.receive(call.caller, fromCaller(call, "BYE"))), "481");
    t.equal(outcomeOf(proxy.receive(call.called, respond(messageOf(`${call.name} invite`), 200))), "nothing");
  }
});
