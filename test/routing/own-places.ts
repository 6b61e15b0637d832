import tap from "tap";
import { createListener } from "../../src/routing/listener.ts";
import { loadStatic } from "../../src/config/load-static.ts";
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
} from "../support/proxy.ts";
import { filesOf, printed } from "../config/files.ts";

const named = [
  createListener("udp:0.0.0.0:5060", 0, "udp", "0.0.0.0", 5062, { host: "sbc.carrier.example", port: 5060 }),
  createListener("udp:[2001:db8::1]:5060", 1, "udp", "2001:db8::1", 5060),
];
const ownNames = [
  { host: "edge.carrier.example", port: 0 },
  { host: "old.carrier.example", port: 5080 },
  { host: "203.0.113.200", port: 0 },
];
const ofTrunk = basicPolicy.replace(
  "addresses: [203.0.113.10] }",
  "addresses: [203.0.113.10] }, ownNames: [sbc.bank.example]",
);

const routes: readonly (readonly [route: string, passes: boolean])[] = [
  ["<sip:sbc.carrier.example:5060;lr>", true],
  ["<sip:sbc.carrier.example;lr>", true],
  ["<sip:SBC.Carrier.Example.;lr>", true],
  ["<sip:sbc.carrier.example:5060;transport=udp;lr>", true],
  ["<sip:sbc.carrier.example:5060;transport=tcp;lr>", true],
  ["<sips:sbc.carrier.example;lr>", true],
  ["<sip:out@sbc.carrier.example;lr>", true],
  ["<sip:edge.carrier.example;lr>", true],
  ["<sip:EDGE.carrier.example:5060;lr>", true],
  ["<sip:edge.carrier.example:5062;lr>", true],
  ["<sip:edge.carrier.example;lr>, <sip:sbc.carrier.example;lr>", true],
  ["<sip:old.carrier.example:5080;lr>", true],
  ["<sip:203.0.113.200;lr>", true],
  ["<sip:203.0.113.200:5062;lr>", true],
  ["<sip:sbc.bank.example;lr>", true],
  ["<sip:sbc.carrier.example:5070;lr>", false],
  ["<sip:edge.carrier.example:5070;lr>", false],
  ["<sip:old.carrier.example;lr>", false],
  ["<sip:old.carrier.example:5060;lr>", false],
  ["<sip:sbc.carrier.example.org;lr>", false],
  ["<sip:xsbc.carrier.example;lr>", false],
  ["<sip:sbc.carrier.example..;lr>", false],
  ["<sip:carrier.example;lr>", false],
  ["<sip:203.0.113.200:5070;lr>", false],
  ["<tel:+861012345678>", false],
  ["<sip:edge.carrier.example;lr>, <sip:198.51.100.1;lr>", false],
];

void tap.test("a Route that names us is taken off; any other is refused", async (t) => {
  for (const [route, passes] of routes) {
    const proxy = createTestProxy(compileText(ofTrunk), { listeners: named, ownNames });
    const sent = proxy.receive(peers.lessee, request({ headers: [`Route: ${route}`] }));
    t.equal(outcomeOf(sent), passes ? `to ${peers.core}` : "403", route);
    if (passes) t.equal(header(sent[0]?.text ?? "", "Route"), undefined, `${route}: taken off`);
    else t.equal(proxy.decisions[0]?.verdict.reason, "routing-refused", route);
  }
  const other = createTestProxy(compileText(ofTrunk), { listeners: named, ownNames });
  const route = ["Route: <sip:sbc.bank.example;lr>"];
  const abroad = request({
    via: ["SIP/2.0/UDP 203.0.113.20:5060;branch=z9hG4bKa1"],
    from: "<sip:+85221234567@x>;tag=a",
    headers: route,
  });
  t.equal(
    outcomeOf(other.receive(peers.abroad, abroad)),
    "403",
    "names of one trunk are no names of another",
  );
});

void tap.test("what is advertised stands wherever we write ourselves, and comes back as ours", async (t) => {
  const proxy = createTestProxy(compileText(basicPolicy), { listeners: named });
  const [options] = proxy.pass(1100);
  for (const field of ["Via", "From", "Contact"])
    t.match(header(options?.text ?? "", field), /sbc\.carrier\.example:5060/u, field);
  t.notMatch(options?.text ?? "0.0.0.0", "0.0.0.0");
  const [out] = proxy.receive(peers.lessee, request());
  t.match(header(out?.text ?? "", "Via"), /^SIP\/2\.0\/UDP sbc\.carrier\.example:5060;branch=/u);
  t.match(header(out?.text ?? "", "Record-Route"), /^<sip:sbc\.carrier\.example:5060;lr;sw=/u);
  t.notMatch(out?.text ?? "0.0.0.0", "0.0.0.0");
  for (const spelling of ["sbc.carrier.example:5060", "SBC.carrier.Example:5060", "sbc.carrier.example"]) {
    const answer = respond(out?.text ?? "", 180).replace("UDP sbc.carrier.example:5060", `UDP ${spelling}`);
    t.equal(outcomeOf(proxy.receive(peers.core, answer)), "180", spelling);
  }
  const ok = proxy.receive(peers.core, respond(out?.text ?? "", 200))[0]?.text ?? "";
  const [route = ""] = headers(ok, "Record-Route");
  for (const spelling of [
    route,
    route.replace("sbc.carrier", "SBC.Carrier"),
    route.replace("sbc.carrier.example", "0.0.0.0").replace(":5060", ":5062"),
  ]) {
    const bye = request({
      method: "BYE",
      uri: "sip:core@198.51.100.1:5060",
      to: "<sip:02787654321@192.0.2.1>;tag=called",
      cseq: "2 BYE",
      via: [`SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bK${spelling.length}`],
      headers: [`Route: ${spelling}`],
    });
    t.equal(outcomeOf(proxy.receive(peers.lessee, bye)), `to ${peers.core}`, spelling.slice(0, 30));
  }
});

const listeners: readonly (readonly [listen: string, issue: RegExp | undefined])[] = [
  ['{ on: "udp:0.0.0.0:5060", advertise: sbc.carrier.example }', undefined],
  ['{ on: "udp:0.0.0.0:5060", advertise: "203.0.113.7:5070" }', undefined],
  ['{ on: "udp:[::]:5060", advertise: "[2001:db8::7]" }', undefined],
  ['{ on: "udp:[::]:5060", advertise: sbc.carrier.example. }', undefined],
  ['{ on: "tls:192.0.2.1:5061", advertise: sbc.carrier.example:5061 }', /needs the section `tls`/u],
  ['{ on: "udp:192.0.2.1:5060" }', undefined],
  ['"udp:0.0.0.0:5060"', /listen\[0\]: "udp:0\.0\.0\.0:5060" is every address .+ advertise: HOST/u],
  ['"udp:[::]:5060"', /is every address/u],
  ['"udp:[::ffff:0.0.0.0]:5060"', /is every address/u],
  ['"tcp:0.0.0.0:5060"', /is every address/u],
  ['{ on: "udp:0.0.0.0:5060" }', /is every address/u],
  ['{ on: "udp:192.0.2.1:5060", advertise: 0.0.0.0 }', /listen\[0\]\.advertise: expected the host name/u],
  ['{ on: "udp:192.0.2.1:5060", advertise: "sbc.example:0" }', /expected the host name/u],
  ['{ on: "udp:192.0.2.1:5060", advertise: "sip:sbc.example" }', /expected the host name/u],
  ['{ on: "udp:192.0.2.1:5060", advertise: "[2001:db8::7]" }', /one is IPv4, the other IPv6/u],
  ['{ on: "udp:[2001:db8::1]:5060", advertise: 203.0.113.7 }', /one is IPv4, the other IPv6/u],
  ['{ on: "udp:192.0.2.1:5060", advertize: sbc.example }', /did you mean "advertise"/u],
  ["{ advertise: sbc.example }", /listen\[0\]\.on: required key is missing/u],
];

void tap.test("a listener says what peers see; every address of the host is none", async (t) => {
  for (const [listen, issue] of listeners) {
    const text = `listen: [${listen}]\npolicy: policy.yaml\n`;
    const { config, issues } = loadStatic(filesOf({ "sigwall.yaml": text }), "sigwall.yaml");
    t.equal(config !== undefined, issue === undefined, listen);
    if (issue === undefined) t.strictSame(printed(issues), [], listen);
    else t.match(printed(issues).join("\n"), issue, listen);
  }
  const drachtio =
    "engine: drachtio\ndrachtio: { servers: [{ secret: x }] }\nlisten: [udp:0.0.0.0:5060]\npolicy: p.yaml\n";
  t.ok(
    loadStatic(filesOf({ "sigwall.yaml": drachtio }), "sigwall.yaml").config,
    "a server of drachtio writes its own Via",
  );
});
