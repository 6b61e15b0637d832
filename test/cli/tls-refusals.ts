// What the running filter logs and counts of a TLS connection that came to nothing: who, and why.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { connect, type ConnectionOptions } from "node:tls";
import t from "tap";
import { createAuthority, type Certificate } from "../support/certificates.ts";
import { until } from "../support/until.ts";
import { startFilter } from "./filter-process.ts";
import { openWorkplace, staticText } from "./workplace.ts";

/** A trunk that is known by its certificate. No next hop is at its address. */
const named = `  - { id: pbx, side: national, match: { addresses: [127.0.0.8], tlsName: pbx.example }, nextHops: ["sip:127.0.0.1:9"] }
lessees:`;

/** Time between two connections of a peer that tries again. Milliseconds. */
const AGAIN = 300;

/** How a peer connects. Node hands `localAddress` on to the socket. */
type PeerOptions = ConnectionOptions & { readonly localAddress?: string };

function shows({ certificate, key }: Certificate): ConnectionOptions {
  return { cert: certificate, key };
}

/** Connects once. Resolves with true when the filter keeps the connection open, false when it ends it. */
function tryOnce(port: number, options: PeerOptions): Promise<boolean> {
  return new Promise((resolve) => {
    const peer: PeerOptions = {
      host: "127.0.0.1",
      port,
      rejectUnauthorized: false,
      localAddress: "127.0.0.8",
    };
    const socket = connect({ ...peer, ...options });
    socket.on("secureConnect", () =>
      socket.write(
        "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TLS a;branch=z9hG4bK1\r\nContent-Length: 0\r\n\r\n",
      ),
    );
    socket.on("data", () => {
      resolve(true);
      socket.destroy();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(false));
  });
}

function isRefusal(line: unknown): line is { readonly cause: string; readonly why: string } {
  return (
    typeof line === "object" &&
    line !== null &&
    "cause" in line &&
    "why" in line &&
    typeof line.why === "string"
  );
}

void t.test(
  "TLS: a refused connection is a line with peer, cause and words, at most two a second",
  async (t) => {
    const place = await openWorkplace();
    t.teardown(place.remove);
    const folder = join(place.folder, "tls");
    const other = join(place.folder, "other");
    for (const path of [folder, other]) mkdirSync(path);
    const authority = createAuthority(folder);
    const strange = createAuthority(other, "strange");
    const own = authority.issue("filter", "IP:127.0.0.1");
    const tls = { certificate: own.certificateFile, key: own.keyFile, ca: authority.certificateFile };
    place.write(
      "sigwall.yaml",
      `${staticText.replace("[udp:127.0.0.1:0]", "[udp:127.0.0.1:0, tls:127.0.0.1:0]")}tls: ${JSON.stringify(tls)}\n`,
    );
    place.write("policy.yaml", place.policy().replace("lessees:", named));
    const filter = await startFilter(place.config);
    const listener = filter.listening.find((text) => text.startsWith("tls:")) ?? "";
    const port = Number(listener.slice(listener.lastIndexOf(":") + 1));
    const refused = (): readonly string[] =>
      filter
        .output()
        .split("\n")
        .filter((line) => line.includes('"msg":"TLS connection refused"'));

    t.equal(
      await tryOnce(port, shows(authority.issue("good", "DNS:pbx.example"))),
      true,
      "a peer that is known",
    );
    t.same(refused(), [], "and has no line");

    const table: readonly (readonly [what: string, options: PeerOptions, cause: string, why: RegExp])[] = [
      ["no certificate", {}, "no-certificate", /^peer did not return a certificate$/],
      [
        "of another authority",
        shows(strange.issue("a", "DNS:pbx.example")),
        "untrusted",
        /^UNABLE_TO_VERIFY_LEAF_SIGNATURE$/,
      ],
      [
        "a certificate that is over",
        shows(authority.issue("d", "DNS:pbx.example", -1)),
        "untrusted",
        /^CERT_HAS_EXPIRED$/,
      ],
      [
        "a name that is no trunk's",
        shows(authority.issue("b", "DNS:other.example")),
        "wrong-name",
        /proves other\.example$/,
      ],
      [
        "from an address where no trunk is",
        { ...shows(authority.issue("c", "DNS:pbx.example")), localAddress: "127.0.0.9" },
        "stranger",
        /no trunk is at this address/,
      ],
    ];
    for (const [what, options, cause, why] of table) {
      const found = (): unknown =>
        refused()
          .map((line): unknown => JSON.parse(line))
          .find((line) => isRefusal(line) && line.cause === cause && why.test(line.why));
      t.equal(found(), undefined, `${what}: nothing yet`);
      t.equal(await tryOnce(port, options), false, `${what}: ended`);
      // The line of the first connection may be one too many in its second: the peer tries again, as peers do.
      const again = setInterval(() => void tryOnce(port, options), AGAIN);
      await until(() => found() !== undefined);
      clearInterval(again);
      const peer = cause === "stranger" ? /^127\.0\.0\.9:\d+$/ : /^127\.0\.0\.8:\d+$/;
      t.match(found(), { level: "warn", listener: "tls:127.0.0.1:0", peer, cause, why }, what);
    }

    const lines = refused().length;
    const from = filter.lineCount();
    await Promise.all(Array.from({ length: 30 }, () => tryOnce(port, {})));
    await filter.logged(["more TLS refusals in the last second"], from);
    t.ok(refused().length - lines < 30, "a flood is summed up");
    const metrics = await (await fetch(`${filter.admin}/metrics`)).text();
    for (const [what, , cause] of table)
      t.match(
        metrics,
        new RegExp(`sigwall_tls_refusals_total\\{cause="${cause}"\\} [1-9]`, "u"),
        `${what}: counted`,
      );
    t.equal(await filter.stop(), 0);
  },
);
