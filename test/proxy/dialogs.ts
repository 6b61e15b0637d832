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
} from "../support/proxy.ts";

void t.test("strict routers", async (t) => {
  const proxy = createTestProxy();
  const out = proxy.receive(peers.lessee, request())[0]?.text ?? "";
  const route = header(out, "Record-Route") ?? "";
  const dialog = { method: "BYE", to: "<sip:02787654321@192.0.2.1>;tag=called" };
  const before = proxy.receive(
    peers.lessee,
    request({
      ...dialog,
      uri: route.slice(1, -1),
      headers: ["Route: <sip:198.51.100.7;lr>, <sip:called@198.51.100.1:5060>"],
    }),
  )[0];
  t.equal(before?.to, peers.core);
  t.match(
    before?.text,
    /^BYE sip:called@198\.51\.100\.1:5060 SIP/u,
    "16.4: the last Route value is the Request-URI again",
  );
  t.same(headers(before?.text ?? "", "Route"), ["<sip:198.51.100.7;lr>"]);
  const behind = proxy.receive(
    peers.lessee,
    request({
      ...dialog,
      uri: "sip:called@198.51.100.1:5060",
      headers: [`Route: ${route}`, "Route: <sip:198.51.100.7>,<sip:198.51.100.8;lr>"],
    }),
  )[0];
  t.match(
    behind?.text,
    /^BYE sip:198\.51\.100\.7 SIP/u,
    "16.6 step 6: a next Route without lr becomes the Request-URI",
  );
  t.same(headers(behind?.text ?? "", "Route"), ["<sip:198.51.100.8;lr>", "<sip:called@198.51.100.1:5060>"]);
});

void t.test("inside a dialog", async (t) => {
  const proxy = createTestProxy();
  const out = proxy.receive(peers.lessee, request())[0]?.text ?? "";
  const route = answeredRoute(proxy, out);
  const inside = { to: "<sip:02787654321@192.0.2.1>;tag=called", headers: [`Route: ${route}`] };
  let branch = 0;
  const send = (parts: object, from: string = peers.lessee): string => {
    const all = { ...inside, via: [`SIP/2.0/UDP ${from};branch=z9hG4bKin${branch++}`], ...parts };
    return outcomeOf(proxy.receive(from, request(all)));
  };
  const toCore = `to ${peers.core}`;
  t.equal(send({ method: "BYE" }), toCore, "BYE with the token");
  t.equal(send({ method: "BYE", headers: [] }), "481", "without");
  t.equal(
    send({ method: "ACK", headers: [`Route: ${route.replace(/sw=./u, "sw=_")}`] }),
    "nothing",
    "an ACK with a forged token is never answered",
  );
  t.equal(
    send({ method: "BYE", headers: [`Route: ${route.replace(/(sw=\w+)\.\w+/u, "$1.00000000")}`] }),
    "481",
    "a token changed in one place",
  );
  t.equal(send({ method: "BYE", callId: "other" }), "481", "the token of another call");
  t.equal(send({ method: "BYE", from: "<sip:+861087654321@a>;tag=other" }), "481", "another caller's tag");
  t.equal(send({ method: "BYE" }, peers.second), "481", "from another trunk");
  t.equal(send({ method: "INVITE" }), toCore, "re-INVITE with the same caller");
  t.equal(
    send({ method: "UPDATE", from: "<sip:87654321@a>;tag=caller" }),
    toCore,
    "the same caller written otherwise",
  );
  t.equal(send({ method: "UPDATE", from: "<sip:pbx@a>;tag=caller" }), toCore, "no number is no change");
  t.equal(
    send({ method: "INVITE", headers: [`Route: ${route}`, "P-Asserted-Identity: <tel:+861087654322>"] }),
    toCore,
    "another listed number is judged, and listed",
  );
  t.equal(
    send({ method: "INVITE", headers: [`Route: ${route}`, "P-Asserted-Identity: <tel:95588>"] }),
    "403",
    "re-INVITE with a forged caller",
  );
  t.equal(
    send({ method: "UPDATE", headers: [`Route: ${route}`, "P-Asserted-Identity: <tel:95588>"] }),
    "403",
    "UPDATE with a forged caller",
  );
  t.equal(
    send({ method: "UPDATE", headers: [`Route: ${route}`, "Privacy: id"] }),
    "433",
    "UPDATE that hides the caller",
  );
  t.equal(
    send({ method: "UPDATE", headers: [`Route: ${route}`, "Content-Type: application/isup"], body: "x" }),
    "403",
    "UPDATE with an ISUP part",
  );
  t.equal(
    send({ method: "INFO", headers: [`Route: ${route}`, "Content-Type: application/isup"], body: "x" }),
    "403",
    "INFO with an ISUP part",
  );
  t.equal(send({ method: "INFO" }), toCore, "INFO without");
  t.equal(
    send({
      method: "UPDATE",
      uri: "sip:110@198.51.100.1",
      headers: [`Route: ${route}`, "P-Asserted-Identity: <tel:95588>"],
    }),
    "403",
    "a Contact that looks like 110 exempts nobody",
  );
  t.equal(send({ method: "OPTIONS" }), toCore, "OPTIONS asks the other side");
  t.equal(send({ method: "REFER" }), "405", "a method that is not carried");
  t.equal(send({ method: "MESSAGE", to: "<sip:a@b>", headers: [] }), "405", "and out of a dialog");
});

void t.test("an INVITE with a To tag that no answer has confirmed is a new call", async (t) => {
  const proxy = createTestProxy();
  const out = proxy.receive(peers.lessee, request())[0]?.text ?? "";
  const token = header(out, "Record-Route") ?? "";
  const route = answeredRoute(proxy, out);
  let branch = 0;
  const invite = (parts: object): string =>
    outcomeOf(
      proxy.receive(
        peers.lessee,
        request({ via: [`SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKnew${branch++}`], ...parts }),
      ),
    );
  const decisions = proxy.decisions.length;
  t.equal(invite({ to: "<sip:x@y>;tag=called", headers: [`Route: ${route}`] }), `to ${peers.core}`);
  t.equal(proxy.decisions.length, decisions, "a dialog that stands is not judged again");
  t.equal(invite({ to: "<sip:x@y>;tag=other", headers: [`Route: ${route}`] }), `to ${peers.core}`);
  t.equal(proxy.decisions.length, decisions + 1, "another tag: judged, listed");
  t.equal(
    invite({ to: "<sip:x@y>;tag=called", from: "<sip:pbx@a>;tag=caller", headers: [`Route: ${token}`] }),
    "403",
  );
  t.match(
    proxy.decisions.at(-1),
    { verdict: { reason: "cli-absent" } },
    "the token of the request alone is no dialog",
  );
});

void t.test("a refused re-INVITE is answered once and the same; its ACK goes no further", async (t) => {
  const proxy = createTestProxy();
  const route = answeredRoute(proxy, proxy.receive(peers.lessee, request())[0]?.text ?? "");
  const inside = {
    to: "<sip:02787654321@192.0.2.1>;tag=called",
    via: ["SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKre"],
    cseq: "2 INVITE",
  };
  const forged = request({ ...inside, headers: [`Route: ${route}`, "P-Asserted-Identity: <tel:95588>"] });
  const decisions = proxy.decisions.length;
  const first = proxy.receive(peers.lessee, forged)[0]?.text;
  t.match(first, /^SIP\/2\.0 403 /u);
  t.equal(proxy.receive(peers.lessee, forged)[0]?.text, first);
  t.equal(proxy.decisions.length, decisions + 1);
  t.same(
    proxy.receive(
      peers.lessee,
      request({ ...inside, method: "ACK", cseq: "2 ACK", headers: [`Route: ${route}`] }),
    ),
    [],
  );
  const cancelled = {
    ...inside,
    via: ["SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKre2"],
    cseq: "3 INVITE",
    headers: [`Route: ${route}`],
  };
  t.equal(outcomeOf(proxy.receive(peers.lessee, request(cancelled))), `to ${peers.core}`);
  t.equal(
    outcomeOf(proxy.receive(peers.lessee, request({ ...cancelled, method: "CANCEL", cseq: "3 CANCEL" }))),
    `to ${peers.core}`,
    "CANCEL of a re-INVITE",
  );
  t.equal(
    proxy
      .receive(
        peers.lessee,
        request({ ...cancelled, method: "OPTIONS", cseq: "4 OPTIONS" }).replace(
          "Max-Forwards: 70",
          "Max-Forwards: 0",
        ),
      )[0]
      ?.text.slice(8, 11),
    "483",
  );
});

void t.test("a special user stays one inside the dialog, and pays once", async (t) => {
  const proxy = createTestProxy(
    compileText(
      basicPolicy.replace(
        "lessee: bank, areaCode",
        "limits: { attemptsPerCallerPerMinute: 1 }, lessee: bank, areaCode",
      ) +
        'specialUsers:\n  - { trunk: lease, number: "+861087654321", allow: [hidden], until: 2030-01-01, reason: desk }\n',
    ),
  );
  const out = proxy.receive(peers.lessee, request({ headers: ["Privacy: id"] }))[0]?.text ?? "";
  const route = answeredRoute(proxy, out);
  const update = {
    method: "UPDATE",
    to: "<sip:x@y>;tag=called",
    headers: [`Route: ${route}`, "Privacy: id"],
  };
  t.equal(outcomeOf(proxy.receive(peers.lessee, request(update))), `to ${peers.core}`);
  proxy.now += 40_000;
  t.equal(
    outcomeOf(proxy.receive(peers.lessee, request({ ...update, cseq: "2 UPDATE" }))),
    `to ${peers.core}`,
  );
});

void t.test("the called side may call itself by the number in To", async (t) => {
  const proxy = createTestProxy();
  const invite = request({
    uri: "sip:+861087654399@203.0.113.10:5060",
    to: "<sip:4008208820@192.0.2.1>",
    from: "<sip:+8613912345678@198.51.100.1>;tag=caller",
    via: ["SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bKcore"],
  });
  const out = proxy.receive(peers.core, invite)[0];
  t.equal(out?.to, peers.lessee);
  const route = header(out?.text ?? "", "Record-Route") ?? "";
  const update = (from: string): string | undefined => {
    const [sent] = proxy.receive(
      peers.lessee,
      request({
        method: "UPDATE",
        from: `<sip:${from}@a>;tag=called`,
        to: "<sip:x@y>;tag=caller",
        headers: [`Route: ${route}`],
      }),
    );
    return sent?.to === peers.core ? header(sent.text, "From") : sent?.text;
  };
  t.equal(update("4008208820"), "<sip:4008208820@a>;tag=called", "the number in To");
  t.equal(update("+861087654399"), "<sip:+861087654399@a>;tag=called", "the number that was called");
  t.equal(update("95588"), '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=called', "another");
});

void t.test("a Contact that nobody can reach: the request goes where the INVITE came from", async (t) => {
  for (const contact of ["sip:pbx@10.0.0.5:5060", "sip:pbx@pbx.bank.example"]) {
    const proxy = createTestProxy();
    const out =
      proxy.receive(
        "203.0.113.10:40000",
        request({ via: ["SIP/2.0/UDP 10.0.0.5:5060;rport;branch=z9hG4bKnat"] }),
      )[0]?.text ?? "";
    const bye = request({
      method: "BYE",
      uri: contact,
      via: ["SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bKbye"],
      from: "<sip:02787654321@192.0.2.1>;tag=called",
      to: "<sip:+861087654321@203.0.113.10>;tag=caller",
      headers: [`Route: ${header(out, "Record-Route")}`],
    });
    t.equal(outcomeOf(proxy.receive(peers.core, bye)), "to 203.0.113.10:40000", contact);
    t.equal(
      outcomeOf(proxy.receive(peers.core, bye.replace("tag=caller", "tag=other"))),
      "404",
      `${contact}: without proof`,
    );
  }
});

void t.test("a reload that moves the next hop leaves the calls where they are", async (t) => {
  const proxy = createTestProxy();
  const route = answeredRoute(proxy, proxy.receive(peers.lessee, request())[0]?.text ?? "");
  const moved = basicPolicy.replace(
    'lessee: bank, areaCode: "10", nextHops: ["sip:198.51.100.1:5060"]',
    'lessee: bank, areaCode: "10", nextHops: ["sip:198.51.100.1:5099"]',
  );
  t.not(moved, basicPolicy);
  proxy.policy = compileText(moved);
  const bye = request({ method: "BYE", to: "<sip:x@y>;tag=called", headers: [`Route: ${route}`] });
  t.equal(outcomeOf(proxy.receive(peers.lessee, bye)), `to ${peers.core}`);
  const next = request({ callId: "2", via: ["SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bK2"] });
  t.equal(outcomeOf(proxy.receive(peers.lessee, next)), "to 198.51.100.1:5099", "new ones go to the new one");
});
