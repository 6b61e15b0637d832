import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import t from "tap";
import { createAuthority, type Authority, type Certificate } from "../support/certificates.ts";
import { startFilter } from "./filter-process.ts";
import { openWorkplace, staticText } from "./workplace.ts";

/** The subject of the certificate that the filter shows; "refused" when it doesn't take ours. */
function lookAt(port: number, own: Certificate, authority: Authority): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({
      host: "127.0.0.1",
      port,
      cert: own.certificate,
      key: own.key,
      ca: authority.certificate,
      checkServerIdentity: () => undefined,
    });
    socket.on("secureConnect", () => {
      const { CN } = socket.getPeerCertificate().subject;
      resolve(String(CN));
      socket.destroy();
    });
    socket.on("error", () => resolve("refused"));
  });
}

void t.test(
  "certificates: in use from the next connection on when a file changes; a bad one changes nothing",
  async (t) => {
    const place = await openWorkplace();
    t.teardown(place.remove);
    const folder = join(place.folder, "tls");
    mkdirSync(folder);
    const authority = createAuthority(folder);
    const peer = authority.issue("peer", "DNS:peer.example");
    const first = authority.issue("first", "IP:127.0.0.1");
    const second = authority.issue("second", "IP:127.0.0.1");
    const put = ({ certificate, key }: Pick<Certificate, "certificate" | "key">): void => {
      // As a deployment does it: both are there before either is seen.
      writeFileSync(join(folder, "own.key.new"), key);
      writeFileSync(join(folder, "own.pem.new"), certificate);
      renameSync(join(folder, "own.key.new"), join(folder, "own.key"));
      renameSync(join(folder, "own.pem.new"), join(folder, "own.pem"));
    };
    put(first);
    const section = "tls: { certificate: tls/own.pem, key: tls/own.key, ca: tls/ca.pem }\n";
    place.write(
      "sigwall.yaml",
      staticText.replace("[udp:127.0.0.1:0]", "[udp:127.0.0.1:0, tls:127.0.0.1:0]") + section,
    );
    const filter = await startFilter(place.config);
    const port = Number(/tls:127\.0\.0\.1:(\d+)/u.exec(filter.output())?.[1]);
    t.equal(await lookAt(port, peer, authority), "first");

    let seen = filter.lineCount();
    put(second);
    await filter.logged(["policy reloaded", "file change"], seen);
    t.equal(await lookAt(port, peer, authority), "second");

    seen = filter.lineCount();
    put({ certificate: first.certificate, key: second.key });
    await filter.logged(["does not belong to the first certificate"], seen);
    t.equal(await lookAt(port, peer, authority), "second", "the ones before stay");
    t.equal(await filter.stop(), 0);
  },
);
