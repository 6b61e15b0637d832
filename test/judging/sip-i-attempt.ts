import { Buffer } from "node:buffer";
import t from "tap";
import { encodeIsup } from "../../pcaps/isup-text.ts";
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
} from "../support/proxy.ts";

const type = "Content-Type: application/ISUP;version=itu-t92+";

/** An ISUP body, as latin1. */
function body(text: string): string {
  return encodeIsup(text).toString("latin1");
}

const called = "called=3:2787654321";

/** What an INVITE from the lessee gets whose ISUP part is `isup`: where it went, or reason or status. */
function outcome(
  isup: string,
  parts: RequestParts = {},
  policy = basicPolicy,
  from: string = peers.lessee,
): string {
  const proxy = createTestProxy(compileText(policy));
  const headers = [type, ...(parts.headers ?? [])];
  const sent = proxy.receive(from, request({ ...parts, headers, body: body(isup) }));
  const [decision] = proxy.decisions;
  t.same(proxy.faults, []);
  t.equal(decision?.attempt.origin.signalling, from === peers.core ? "sip" : "sip-i");
  return decision?.verdict.kind === "reject" ? decision.verdict.reason : outcomeOf(sent);
}

const toCore = `to ${peers.core}`;

const pai = (user: string): RequestParts => ({ headers: [`P-Asserted-Identity: <sip:${user}@a>`] });

void t.test("the callers of an ISUP part are asserted callers", (t) => {
  const rows: readonly (readonly [what: string, isup: string, parts: RequestParts, outcome: string])[] = [
    ["listed, the same as From", `IAM ${called} calling=3:1087654321`, {}, toCore],
    ["near miss: From may differ when it is listed too", `IAM ${called} calling=3:1087654322`, {}, toCore],
    ["not listed", `IAM ${called} calling=3:1087654400`, {}, "cli-not-listed"],
    ["agrees with PAI", `IAM ${called} calling=3:1087654321`, pai("+861087654321"), toCore],
    [
      "contradicts PAI, though both are listed",
      `IAM ${called} calling=3:1087654322`,
      pai("+861087654321"),
      "cli-conflict",
    ],
    [
      "a generic number may differ when listed",
      `IAM ${called} calling=3:1087654321 generic=3:1087654322`,
      pai("+861087654321"),
      toCore,
    ],
    ["a forged generic number", `IAM ${called} calling=3:1087654321 generic=3:95566`, {}, "cli-not-listed"],
    [
      "restricted in ISUP",
      `IAM ${called} calling=3:1087654321/restricted`,
      pai("+861087654321"),
      "cli-hidden",
    ],
    ["restricted in SIP", `IAM ${called} calling=3:1087654321`, { headers: ["Privacy: id"] }, "cli-hidden"],
    ["unavailable in ISUP", `IAM ${called} calling=0:/unavailable`, {}, "cli-absent"],
    ["no caller in ISUP", `IAM ${called}`, {}, "cli-absent"],
    ["no caller in ISUP, one in PAI", `IAM ${called}`, pai("+861087654321"), "cli-absent"],
    ["a generic number alone", `IAM ${called} generic=3:1087654321`, {}, "cli-absent"],
    ["an operator", `IAM ${called} calling=3:1087654321 category=9`, {}, "number-class"],
    ["a subscriber with priority", `IAM ${called} calling=3:1087654321 category=11`, {}, "number-class"],
    ["a test call", `IAM ${called} calling=3:1087654321 category=13`, {}, "number-class"],
    ["near miss: a payphone", `IAM ${called} calling=3:1087654321 category=15`, {}, toCore],
    ["near miss: unknown", `IAM ${called} calling=3:1087654321 category=0`, {}, toCore],
    [
      "a qualifier of one network, not listed",
      `IAM ${called} calling=3:1087654321 generic=3:95566/q128`,
      {},
      "cli-not-listed",
    ],
    ["near miss: listed", `IAM ${called} calling=3:1087654321 generic=3:1087654322/q128`, {}, toCore],
    [
      "near miss: the number that was dialled",
      `IAM ${called} calling=3:1087654321 generic=3:95566/q0`,
      {},
      toCore,
    ],
    ["no number but in ISUP", `IAM ${called} calling=3:1087654321`, { from: "<sip:pbx@a>;tag=1" }, toCore],
    ["a number that no plan allows", `IAM ${called} calling=3:0`, {}, "cli-malformed"],
    [
      "diverted without licence",
      `IAM ${called} calling=3:1087654321 redirecting=3:1087654321`,
      {},
      "diversion-unlicensed",
    ],
    [
      "an additional number of the original called party",
      `IAM ${called} calling=3:1087654321 generic=3:95566/q7`,
      {},
      "diversion-unlicensed",
    ],
    [
      "near miss: an additional connected number",
      `IAM ${called} calling=3:1087654321 generic=3:95566/q5`,
      {},
      toCore,
    ],
    [
      "sent to the same number once more",
      `IAM ${called} calling=3:1087654321`,
      { headers: ["Diversion: <sip:02787654321@a>"] },
      toCore,
    ],
    [
      "near miss: the ISUP part sends the call elsewhere, and shows the dialled number as a diverting one",
      "IAM called=3:13800138000 calling=3:1087654321",
      { headers: ["Diversion: <sip:02787654321@a>"] },
      "diversion-unlicensed",
    ],
    [
      "near miss: likewise with History-Info",
      "IAM called=3:13800138000 calling=3:1087654321",
      { headers: ["History-Info: <sip:02787654321@a>;index=1"] },
      "diversion-unlicensed",
    ],
    ["the ISUP part sends the call elsewhere", "IAM called=3:13800138000 calling=3:1087654321", {}, toCore],
    [
      "a name that shows a short code, which nobody can take out of a body",
      `IAM ${called} calling=3:1087654321 name=20${Buffer.from("BANK 95588").toString("hex")}`,
      {},
      "display-name-misleading",
    ],
    [
      "the same as display information",
      `IAM ${called} calling=3:1087654321 display=${Buffer.from("95588").toString("hex")}`,
      {},
      "display-name-misleading",
    ],
    [
      "near miss: a name that misleads nobody, beside one in SIP that is taken out",
      `IAM ${called} calling=3:1087654321 name=20${Buffer.from("BANK").toString("hex")}`,
      { from: '"95588" <sip:01087654321@h>;tag=a' },
      toCore,
    ],
    ["no IAM", "REL cause=16", {}, "isup-undecodable"],
    ["a type of no known layout", "hex ff", {}, "isup-undecodable"],
    ["damaged", "hex 0100", {}, "isup-undecodable"],
    ["two callers", `IAM ${called} calling=3:1087654321 calling=3:1087654321`, {}, "isup-undecodable"],
    [
      "an emergency call that the ISUP part sends elsewhere",
      `IAM ${called} calling=3:95566`,
      { uri: "sip:110@a" },
      "cli-not-listed",
    ],
    ["near miss: one in both", "IAM called=3:110 calling=3:95566", { uri: "sip:110@a" }, toCore],
    ["near miss: one in the ISUP part alone", "IAM called=3:110 calling=3:95566", {}, "cli-not-listed"],
    [
      "a service URN that the ISUP part sends elsewhere",
      `IAM ${called} calling=3:95566`,
      { uri: "urn:service:sos" },
      "cli-not-listed",
    ],
  ];
  for (const [what, isup, parts, expected] of rows) t.equal(outcome(isup, parts), expected, what);
  t.end();
});

void t.test("SIP and ISUP name different diverting parties", (t) => {
  const lists = {
    "bank.csv": "number,may_forward\n+861087654300..+861087654398,no\n+861087654399,yes\n+861087654299,yes\n",
  };
  const run = (redirecting: string, diversion: string): string => {
    const proxy = createTestProxy(compileText(basicPolicy, lists));
    const isup = body(`IAM ${called} calling=3:1087654321${redirecting}`);
    const sent = proxy.receive(
      peers.lessee,
      request({ headers: [type, ...(diversion === "" ? [] : [diversion])], body: isup }),
    );
    return proxy.decisions[0]?.verdict.kind === "reject"
      ? proxy.decisions[0].verdict.reason
      : outcomeOf(sent);
  };
  const licensed = " redirecting=3:1087654399";
  t.equal(run(licensed, ""), toCore);
  t.equal(run(licensed, "Diversion: <sip:+861087654399@a>"), toCore);
  t.equal(run(licensed, "Diversion: <sip:+861087654299@a>"), "diversion-unlicensed");
  t.equal(
    run(`${licensed} generic=3:95566/q7`, "Subject: hello"),
    toCore,
    "an earlier one beside the licensed one",
  );
  t.equal(run(" generic=3:1087654399/q7", "Subject: hello"), "diversion-unlicensed", "an earlier one alone");
  t.equal(run(" redirecting=3:1087654321", "Diversion: <sip:+861087654399@a>"), "diversion-unlicensed");
  t.equal(run(" redirection=0311", "Diversion: <sip:+861087654399@a>"), "diversion-unlicensed");
  t.end();
});

void t.test("versions: those of the standards, by base, and by the policy's word", (t) => {
  const policy = basicPolicy.replace(
    'areaCode: "10", ',
    'areaCode: "10", isupVersions: { CHN-1: itu, usa-1: ansi }, ',
  );
  const of = (parameters: string, isup = `IAM ${called} calling=3:1087654321`): string => {
    const proxy = createTestProxy(compileText(policy));
    const headers = [`Content-Type: application/isup${parameters}`];
    const sent = proxy.receive(peers.lessee, request({ headers, body: body(isup) }));
    return proxy.decisions[0]?.verdict.kind === "reject"
      ? proxy.decisions[0].verdict.reason
      : outcomeOf(sent);
  };
  const ansi = "hex 010020010a03060d039090a207031072785634120a0703130178563412 00";
  const rows: readonly (readonly [parameters: string, outcome: string, isup?: string])[] = [
    [";version=itu-t92+", toCore],
    [";version=ITU-T88", toCore],
    [";version=etsi356", toCore],
    [";version=nxv3;base=etsi121", toCore],
    [";version=chn-1", toCore],
    [";version=ansi00", toCore, ansi],
    [";version=usa-1", toCore, ansi],
    [";version=nxv3", "isup-undecodable"],
    [";version=nxv3;base=other", "isup-undecodable"],
    [";version=ttc87", "isup-undecodable"],
    ["", "isup-undecodable"],
  ];
  for (const [parameters, expected, isup] of rows) t.equal(of(parameters, isup), expected, parameters);
  t.end();
});

const bodyOf = (message: string): string => message.slice(message.indexOf("\r\n\r\n"));

void t.test("an accepted body goes on byte for byte, and a repeat as the call before it", (t) => {
  const proxy = createTestProxy();
  const text = request({
    headers: ["Content-Type: multipart/mixed;boundary=b"],
    body: `--b\r\n${type}\r\n\r\n${body(`IAM ${called} calling=3:1087654321F generic=3:1087654322`)}\r\n--b--\r\n`,
  });
  const [first] = proxy.receive(peers.lessee, text);
  const [again] = proxy.receive(peers.lessee, text);
  t.equal(bodyOf(first?.text ?? ""), bodyOf(text));
  t.ok(Buffer.from(first?.bytes ?? []).equals(again?.bytes ?? Buffer.alloc(0)));
  t.end();
});

void t.test("the core's bodies are not looked into", (t) => {
  t.equal(
    outcome("REL cause=16", { uri: "sip:1@203.0.113.10:5060" }, basicPolicy, peers.core),
    `to ${peers.lessee}`,
  );
  t.end();
});

void t.test("inside a dialog", (t) => {
  const proxy = createTestProxy();
  const invite = request({
    headers: [type],
    body: body(`IAM ${called} calling=3:1087654321 generic=3:1087654322`),
  });
  const route = answeredRoute(proxy, proxy.receive(peers.lessee, invite)[0]?.text ?? "");
  let branch = 0;
  const send = (method: string, isup: string, from: string = peers.lessee): string => {
    const isCaller = from === peers.lessee;
    const parties = isCaller
      ? { to: "<sip:02787654321@192.0.2.1>;tag=called" }
      : { from: "<sip:02787654321@192.0.2.1>;tag=called", to: "<sip:+861087654321@203.0.113.10>;tag=caller" };
    return outcomeOf(
      proxy.receive(
        from,
        request({
          method,
          ...parties,
          via: [`SIP/2.0/UDP ${from};branch=z9hG4bKin${branch++}`],
          headers: [`Route: ${route}`, type],
          body: body(isup),
        }),
      ),
    );
  };
  const rows: readonly (readonly [what: string, method: string, isup: string, outcome: string])[] = [
    ["SGM with the authorised number", "INFO", "SGM generic=3:1087654322", toCore],
    ["INF with the caller", "INFO", "INF calling=3:1087654321", toCore],
    ["another listed number is judged, and listed", "INFO", "SGM generic=3:1087654333", toCore],
    ["a forged number", "INFO", "SGM generic=3:95566", "403"],
    ["a hidden one", "INFO", "INF calling=3:1087654321/restricted", "433"],
    ["no number", "INFO", "SGM", toCore],
    ["an IAM begins no call here", "INFO", `IAM ${called} calling=3:1087654321`, "403"],
    ["can't be decoded", "INFO", "hex 3801c0", "403"],
    ["BYE with REL", "BYE", "REL cause=16", toCore],
    ["BYE with anything: the call is over", "BYE", "hex ff", toCore],
    ["UPDATE with the caller", "UPDATE", "SGM generic=3:1087654322", toCore],
    ["UPDATE with a forged one", "UPDATE", "SGM generic=3:95566", "403"],
    ["re-INVITE with an IAM of the caller", "INVITE", `IAM ${called} calling=3:1087654321`, toCore],
    ["re-INVITE with a forged one", "INVITE", `IAM ${called} calling=3:95566`, "403"],
    ["re-INVITE with something else", "INVITE", "REL cause=16", "403"],
  ];
  for (const [what, method, isup, expected] of rows) t.equal(send(method, isup), expected, what);
  t.equal(send("INFO", "SGM generic=3:95566", peers.core), `to ${peers.lessee}`, "the core is trusted");
  t.end();
});

void t.test("inside an emergency call: the caller of its IAM goes on, another is judged", (t) => {
  const proxy = createTestProxy();
  const hidden = "IAM called=3:110 calling=3:95566/restricted";
  const invite = request({ uri: "sip:110@a", headers: [type], body: body(hidden) });
  const route = answeredRoute(proxy, proxy.receive(peers.lessee, invite)[0]?.text ?? "");
  const rows: readonly (readonly [what: string, method: string, isup: string, outcome: string])[] = [
    ["the same", "INVITE", hidden, toCore],
    ["told again", "INFO", "INF calling=3:95566/restricted", toCore],
    ["no number", "UPDATE", "SGM", toCore],
    ["another one", "INVITE", "IAM called=3:110 calling=3:95588", "403"],
    ["another one, hidden", "INFO", "INF calling=3:95588/restricted", "433"],
  ];
  for (const [index, [what, method, isup, expected]] of rows.entries()) {
    const text = request({
      method,
      to: "<sip:110@a>;tag=called",
      via: [`SIP/2.0/UDP ${peers.lessee};branch=z9hG4bKsos${index}`],
      headers: [`Route: ${route}`, type],
      body: body(isup),
    });
    t.equal(outcomeOf(proxy.receive(peers.lessee, text)), expected, what);
  }
  t.end();
});

void t.test(
  "inside a dialog, from the called side: a body can't be changed, so its caller is judged",
  (t) => {
    const proxy = createTestProxy();
    const [invite] = proxy.receive(
      peers.core,
      request({
        uri: "sip:8001@203.0.113.10:5060",
        to: "<sip:8001@192.0.2.1>",
        via: [`SIP/2.0/UDP ${peers.core};branch=z9hG4bKcore`],
      }),
    );
    const route = header(invite?.text ?? "", "Record-Route") ?? "";
    const rows: readonly (readonly [what: string, isup: string, outcome: string])[] = [
      ["no number", "SGM", toCore],
      ["a listed number", "SGM generic=3:1087654333", toCore],
      ["a forged number", "SGM generic=3:95566", "403"],
      ["a hidden number", "INF calling=3:1087654321/restricted", "433"],
      ["can't be decoded", "hex 3801c0", "403"],
    ];
    for (const method of ["UPDATE", "INFO"]) {
      for (const [index, [what, isup, expected]] of rows.entries()) {
        const text = request({
          method,
          from: "<sip:8001@192.0.2.1>;tag=called",
          to: "<sip:+861087654321@203.0.113.10>;tag=caller",
          via: [`SIP/2.0/UDP ${peers.lessee};branch=z9hG4bK${method}${index}`],
          headers: [`Route: ${route}`, type],
          body: body(isup),
        });
        t.equal(outcomeOf(proxy.receive(peers.lessee, text)), expected, `${method}: ${what}`);
      }
    }
    t.end();
  },
);

void t.test("a withheld number is not told by a body that goes as it came", (t) => {
  const policy = basicPolicy.replace(
    "match: { addresses: [203.0.113.20] }, ",
    "match: { addresses: [203.0.113.20] }, rules: { home-cli-from-abroad: { roamers: withhold } }, ",
  );
  const proxy = createTestProxy(compileText(policy));
  const roamer = {
    from: "<sip:+8613912345678@203.0.113.20>;tag=caller",
    via: ["SIP/2.0/UDP 203.0.113.20:5060;branch=z9hG4bKa"],
  };
  const send = (parts: RequestParts, text = ""): string =>
    outcomeOf(
      proxy.receive(
        peers.abroad,
        request({
          ...roamer,
          ...parts,
          ...(text === "" ? {} : { headers: [...(parts.headers ?? []), type], body: body(text) }),
        }),
      ),
    );
  const roaming = "calling=4:8613912345678";
  t.equal(send({}, `IAM ${called} ${roaming}`), "403", "a call with an ISUP part can't be withheld");
  t.match(proxy.decisions.at(-1)?.verdict, { kind: "reject", reason: "home-cli-from-abroad" });
  const plain = { ...roamer, callId: "plain", via: ["SIP/2.0/UDP 203.0.113.20:5060;branch=z9hG4bKb"] };
  const [out] = proxy.receive(peers.abroad, request(plain));
  t.match(out?.text, /^From: "Anonymous"/m);
  const route = answeredRoute(proxy, out?.text ?? "");
  let branch = 0;
  const inside = (method: string, text: string): string =>
    send(
      {
        ...plain,
        method,
        to: "<sip:02787654321@192.0.2.1>;tag=called",
        via: [`SIP/2.0/UDP 203.0.113.20:5060;branch=z9hG4bKc${branch++}`],
        headers: [`Route: ${route}`],
      },
      text,
    );
  t.equal(inside("INFO", `SGM generic=4:8613912345678`), "403", "nor told later");
  t.equal(inside("INVITE", `IAM ${called} ${roaming}`), "403");
  t.equal(inside("INFO", "SGM"), toCore, "near miss: an ISUP part without numbers");
  t.same(proxy.faults, []);
  t.end();
});
