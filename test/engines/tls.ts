import { naming } from "../support/events.ts";
import { connect as connectTcp } from "node:net";
import { connect, createServer, type ConnectionOptions, type TLSSocket } from "node:tls";
import t, { type Test } from "tap";
import type { Policy } from "../../src/policy/policy.ts";
import type { TlsMaterial } from "../../src/config/sigwall/tls-files.ts";
import { createEmbeddedEngine } from "../../src/engines/embedded.ts";
import type { Engine, RefusedTls } from "../../src/engines/engine.ts";
import { createCounters, type Counters } from "../../src/observe/counters.ts";
import { createScreeningState } from "../../src/screening/state.ts";
import { createAuthority, materialOf, type Certificate } from "../support/certificates.ts";
import { compileText, header, request } from "../support/proxy.ts";
import { until } from "../support/until.ts";

const host = "127.0.0.1";

/** A lessee that is known by its name; calls go to `nextHop`. */
function policyFor(nextHop: string): Policy {
  return compileText(`
version: 1
home: { country: "86" }
timeZone: Asia/Shanghai
trunks:
  - { id: lease, side: lessee, match: { addresses: [127.0.0.0/8], tlsName: Pbx.Example }, lessee: bank, areaCode: "10", nextHops: ["${nextHop}"] }
lessees:
  - { id: bank, name: Bank, contract: HT-1, numbers: bank.csv }
`);
}

/** An engine with one tls listener, and its port. */
async function start(
  t: Test,
  tls: TlsMaterial,
  policy: Policy,
): Promise<{ engine: Engine; port: number; counters: Counters; refused: readonly RefusedTls[] }> {
  const refused: RefusedTls[] = [];
  const counters = createCounters();
  const engine = createEmbeddedEngine({
    listen: [{ id: `tls:${host}:0`, transport: "tls", address: host, port: 0 }],
    tls,
    streams: { connections: 64, perSource: 64, idleSeconds: 60, messageSeconds: 1, unreadMegabytes: 64 },
    policy: () => policy,
    state: createScreeningState(policy.tables),
    counters,
    key: new Uint8Array(32).fill(7),
    naming,
    happened: () => undefined,
    tlsRefused: (refusal) => refused.push(refusal),
    fault: (error) => t.fail(String(error)),
  });
  const [bound = ""] = await engine.start();
  t.teardown(() => engine.stop());
  return { engine, port: Number(bound.slice(bound.lastIndexOf(":") + 1)), counters, refused };
}

const options = request({ method: "OPTIONS", via: ["SIP/2.0/TLS 127.0.0.1:5061;branch=z9hG4bKo"] });

/** What a client gets for an OPTIONS: the status, or "closed". */
function ask(port: number, credentials: ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    const socket: TLSSocket = connect({
      host,
      port,
      checkServerIdentity: () => undefined,
      rejectUnauthorized: false,
      ...credentials,
    });
    socket.on("secureConnect", () => socket.write(options, "latin1"));
    socket.on("data", (bytes) => {
      resolve(bytes.toString("latin1").slice(8, 11));
      socket.destroy();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve("closed"));
  });
}

function shows({ certificate, key }: Certificate): ConnectionOptions {
  return { cert: certificate, key };
}

void t.test("a peer is the trunk that its certificate names", async (t) => {
  const folder = t.testdir({ other: {} });
  const authority = createAuthority(folder);
  const strange = createAuthority(`${folder}/other`, "strange");
  const own = authority.issue("filter", `IP:${host}`);
  const rows: readonly (readonly [name: string, ConnectionOptions, result: string])[] = [
    ["its name", shows(authority.issue("a", "DNS:pbx.example")), "200"],
    ["its name in other letters", shows(authority.issue("b", "DNS:PBX.example")), "200"],
    ["its name as a SIP URI", shows(authority.issue("c", "URI:sip:pbx.example")), "200"],
    ["its name as common name", shows(authority.issue("pbx.example", "")), "200"],
    ["another name", shows(authority.issue("d", "DNS:pbx.example.net")), "closed"],
    ["a wildcard", shows(authority.issue("e", "DNS:*.example")), "closed"],
    ["expired", shows(authority.issue("f", "DNS:pbx.example", -1)), "closed"],
    ["of another authority", shows(strange.issue("g", "DNS:pbx.example")), "closed"],
    ["no certificate", {}, "closed"],
    [
      "TLS 1.1",
      { ...shows(authority.issue("h", "DNS:pbx.example")), minVersion: "TLSv1.1", maxVersion: "TLSv1.1" },
      "closed",
    ],
    ["TLS 1.2", { ...shows(authority.issue("i", "DNS:pbx.example")), maxVersion: "TLSv1.2" }, "200"],
  ];
  const { port } = await start(t, materialOf(own, authority), policyFor("sip:192.0.2.1:5060"));
  for (const [name, credentials, result] of rows) t.equal(await ask(port, credentials), result, name);

  for (const clientCertificate of ["request", "none"] as const) {
    const lax = await start(
      t,
      materialOf(own, authority, clientCertificate),
      policyFor("sip:192.0.2.1:5060"),
    );
    t.equal(await ask(lax.port, {}), "closed", `${clientCertificate}: without a name there is no trunk`);
    t.equal(
      await ask(lax.port, shows(strange.issue("j", "DNS:pbx.example"))),
      "closed",
      `${clientCertificate}: a name that nobody vouches for is none`,
    );
    const named = shows(authority.issue("k", "DNS:pbx.example"));
    t.equal(
      await ask(lax.port, named),
      clientCertificate === "request" ? "200" : "closed",
      clientCertificate,
    );
  }
});

void t.test("other certificates for the next connection; those that are open go on", async (t) => {
  const folder = t.testdir({ next: {} });
  const before = createAuthority(folder);
  const after = createAuthority(`${folder}/next`, "next");
  const old = shows(before.issue("old", "DNS:pbx.example"));
  const fresh = shows(after.issue("fresh", "DNS:pbx.example"));
  const { engine, port } = await start(
    t,
    materialOf(before.issue("filter", `IP:${host}`), before),
    policyFor("sip:192.0.2.1:5060"),
  );
  const open = connect({ host, port, rejectUnauthorized: false, ...old });
  let text = "";
  open.on("data", (bytes) => (text += bytes.toString("latin1")));
  open.on("error", () => undefined);
  open.write(options, "latin1");
  await until(() => text !== "");
  engine.renewTls(materialOf(after.issue("filter2", `IP:${host}`), after));
  t.equal(await ask(port, old), "closed", "the authority before is none any more");
  t.equal(await ask(port, fresh), "200");
  text = "";
  open.write(options, "latin1");
  await until(() => text !== "");
  t.match(text, /^SIP\/2\.0 200 /u);
  open.destroy();
  const broken = { ...materialOf(before, before), key: Buffer.from("no key") };
  t.throws(() => engine.renewTls(broken));
  t.equal(await ask(port, fresh), "200", "what is no certificate changes nothing");
});

void t.test("we connect only to who proves to be meant", async (t) => {
  const folder = t.testdir({ other: {} });
  const authority = createAuthority(folder);
  const strange = createAuthority(`${folder}/other`, "strange");
  const caller = authority.issue("caller", "DNS:pbx.example");
  const rows: readonly (readonly [name: string, Certificate, outcome: string, cause?: string])[] = [
    ["its address", authority.issue("a", `IP:${host}`), "INVITE"],
    ["the name of the trunk there", authority.issue("b", "DNS:pbx.example"), "INVITE"],
    ["another address", authority.issue("c", "IP:127.0.0.2"), "503", "wrong-name"],
    ["another name", authority.issue("d", "DNS:other.example"), "503", "wrong-name"],
    ["expired", authority.issue("e", `IP:${host}`, -1), "503", "untrusted"],
    ["of another authority", strange.issue("f", `IP:${host}`), "503", "untrusted"],
  ];
  const own = materialOf(authority.issue("filter", `IP:${host}`), authority);
  for (const [name, { certificate, key }, outcome, cause] of rows) {
    let reached = "";
    const server = createServer(
      { cert: certificate, key, ca: authority.certificate, requestCert: true },
      (socket) => {
        t.ok(socket.authorized, "we show our certificate");
        socket.on("error", () => undefined);
        // A slow machine may see a probe (OPTIONS) too.
        socket.on("data", (bytes) => {
          if (bytes.includes("INVITE sip")) reached = "INVITE";
        });
      },
    );
    server.on("tlsClientError", () => undefined);
    await new Promise<void>((ready) => server.listen(0, host, ready));
    const bound = server.address();
    const to = typeof bound === "object" && bound !== null ? bound.port : 0;
    const { port, refused } = await start(t, own, policyFor(`sips:${host}:${to}`));
    const socket = connect({ host, port, rejectUnauthorized: false, ...shows(caller) });
    let answer = "";
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => (answer += bytes.toString("latin1")));
    socket.write(request({ via: ["SIP/2.0/TLS 127.0.0.1:5061;branch=z9hG4bKi"] }), "latin1");
    await until(() => reached !== "" || answer !== "");
    t.equal(reached === "" ? answer.slice(8, 11) : reached, outcome, name);
    const expected = cause === undefined ? [] : [{ peer: `${host}:${to}`, cause }];
    t.same(
      refused.map((refusal) => ({ peer: refusal.peer, cause: refusal.cause })),
      expected,
      `${name}: told who was refused, and why`,
    );
    if (outcome === "503") t.match(header(answer, "To"), /;tag=sw/u, "an answer of ours");
    socket.destroy();
    server.close();
  }
});

void t.test("a handshake that doesn't come is given up", async (t) => {
  const authority = createAuthority(t.testdir());
  const { port, counters } = await start(
    t,
    materialOf(authority.issue("filter", `IP:${host}`), authority),
    policyFor("sip:192.0.2.1:5060"),
  );
  const silent = connectTcp(port, host);
  const noise = connectTcp(port, host);
  for (const socket of [silent, noise]) socket.on("error", () => undefined);
  noise.write(options, "latin1");
  await new Promise((closed) => noise.once("close", closed));
  t.equal(counters.streams.results.refused, 1, "plain SIP on a TLS port");
  await new Promise((closed) => silent.once("close", closed));
  t.equal(counters.streams.results.refused, 2, "silence");
  t.equal(counters.streams.open, 0);
});
