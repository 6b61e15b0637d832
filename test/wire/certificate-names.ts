import t from "tap";
import { createBackOff } from "../../src/wire/streams/back-off.ts";
import { readCertificateNames } from "../../src/wire/streams/certificate-names.ts";

void t.test("the names that a certificate proves (RFC 5922 section 7.1)", async (t) => {
  const rows: readonly (readonly [
    name: string,
    san: string | undefined,
    cn: string | readonly string[] | undefined,
    names: readonly string[],
  ])[] = [
    ["a DNS name", "DNS:Pbx.Example", "cn.example", ["pbx.example"]],
    ["several", "DNS:a.example, DNS:b.example", undefined, ["a.example", "b.example"]],
    ["a sip URI", "URI:sip:Example.com", "cn.example", ["example.com"]],
    ["a sip URI with a user is a user's, not a domain's", "URI:sip:alice@example.com", "cn.example", []],
    ["a URI of another scheme", "URI:https://example.com, URI:sips:example.com", undefined, []],
    ["a sip URI with more behind", "URI:sip:example.com;lr, URI:sip:example.com:5061", undefined, []],
    ["a wildcard proves nothing", "DNS:*.example.com, DNS:a*.example.com", "cn.example", []],
    ["a common name, without alternative names", undefined, "CN.Example", ["cn.example"]],
    ["a common name beside others", "IP Address:192.0.2.1", "cn.example", []],
    ["two common names", undefined, ["a.example", "b.example"], []],
    ["a wildcard as common name", undefined, "*.example", []],
    ["nothing", undefined, undefined, []],
    // As node:tls quotes a name that would pass for two.
    ["a comma inside a name", 'DNS:"evil.example, DNS:pbx.example"', "cn.example", []],
    ["and one behind it", 'DNS:"evil\\", DNS:pbx.example", DNS:good.example', undefined, ["good.example"]],
  ];
  for (const [name, subjectaltname, cn, names] of rows) {
    const certificate = { subject: cn === undefined ? {} : { CN: cn }, subjectaltname };
    t.strictSame(readCertificateNames(certificate).names, names, name);
  }
  const { addresses } = readCertificateNames({
    subjectaltname: "DNS:a, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1",
  });
  t.strictSame(addresses, ["192.0.2.1", "2001:db8::1"]);
});

void t.test("back-off: half a second, doubled up to half a minute, forgotten by success", async (t) => {
  const backOff = createBackOff();
  let now = 0;
  for (const delay of [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
    backOff.failed("peer", now);
    t.ok(backOff.isBlocked("peer", now + delay - 1), `${delay}: not yet`);
    t.notOk(backOff.isBlocked("peer", now + delay), `${delay}: now`);
    now += delay;
  }
  t.notOk(backOff.isBlocked("another", 0));
  backOff.failed("peer", now);
  backOff.succeeded("peer");
  t.notOk(backOff.isBlocked("peer", now));
  for (let i = 0; i < 5000; i++) backOff.failed(`p${i}`, now);
  t.notOk(backOff.isBlocked("p0", now), "bounded: the oldest is forgotten");
  t.ok(backOff.isBlocked("p4999", now));
});
