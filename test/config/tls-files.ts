import tap from "tap";
import { loadTls, type TlsConfig } from "../../src/config/sigwall/tls-files.ts";
import { createAuthority } from "../support/certificates.ts";
import { filesOf, printed } from "./files.ts";

const config: TlsConfig = {
  certificate: "own.pem",
  key: "own.key",
  ca: "ca.pem",
  minVersion: "TLSv1.2",
  clientCertificate: "require",
};
const day = 86_400_000;

/** Orders issues by their text: what is read first is no promise. */
function byFile(one: string | RegExp, other: string | RegExp): number {
  const [first = "", second = ""] = [one, other].map((issue) => String(issue).replace("/^", ""));
  return first < second ? -1 : Number(first > second);
}

void tap.test("certificates and key are read, and held against each other", async (t) => {
  const authority = createAuthority(t.testdir());
  const own = authority.issue("own", "DNS:own.example", 90);
  const other = authority.issue("other", "DNS:other.example", 90);
  const short = authority.issue("short", "DNS:short.example", 10);
  const sound = { "own.pem": own.certificate, "own.key": own.key, "ca.pem": authority.certificate };
  const now = Date.now() + 60_000;
  const rows: readonly (readonly [
    name: string,
    files: Readonly<Record<string, string | Uint8Array>>,
    issues: readonly (string | RegExp)[],
    isUsable: boolean,
  ])[] = [
    [
      "a chain",
      { ...sound, "own.pem": Buffer.concat([own.certificate, authority.certificate]) },
      [/^own\.pem:1:1: warning: the certificate of CN=ca expires on/, /^ca\.pem/],
      true,
    ],
    [
      "one that expires soon",
      { ...sound, "own.pem": short.certificate, "own.key": short.key },
      [/^own\.pem:1:1: warning: the certificate of CN=short expires on/, /^ca\.pem/],
      true,
    ],
    [
      "the key of another",
      { ...sound, "own.key": other.key },
      [/^ca\.pem/, "own.key:1:1: does not belong to the first certificate in own.pem"],
      false,
    ],
    [
      "no key",
      { ...sound, "own.key": "" },
      [/^ca\.pem/, "own.key:1:1: is not a private key in PEM without a password"],
      false,
    ],
    [
      "no certificate",
      { ...sound, "own.pem": own.key },
      ["own.pem:1:1: contains no certificate in PEM", /^ca\.pem/],
      false,
    ],
    [
      "half a certificate",
      { ...sound, "own.pem": own.certificate.subarray(100) },
      ["own.pem:1:1: contains a certificate that can't be read", /^ca\.pem/],
      false,
    ],
    ["no authorities", { ...sound, "ca.pem": "" }, ["ca.pem:1:1: contains no certificate in PEM"], false],
    [
      "no files",
      {},
      [
        "own.pem:1:1: can't be read: no such file",
        "own.key:1:1: can't be read: no such file",
        "ca.pem:1:1: can't be read: no such file",
      ],
      false,
    ],
  ];
  for (const [name, files, expected, isUsable] of rows) {
    const { material, issues } = loadTls(filesOf(files), config, now);
    t.match(printed(issues).toSorted(byFile), expected.toSorted(byFile), name);
    t.equal(issues.length, expected.length, name);
    t.equal(material !== undefined, isUsable, name);
  }
  const { issues } = loadTls(filesOf(sound), config, now + 40 * day);
  t.match(
    printed(issues),
    [/^ca\.pem:1:1: warning: the certificate of CN=ca expired on/],
    "expired is told, not refused",
  );
  t.match(printed(loadTls(filesOf(sound), config, now - 400 * day).issues), [
    /is not valid before/,
    /is not valid before/,
  ]);
});
