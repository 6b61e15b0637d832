import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TlsMaterial } from "../../src/config/sigwall/tls-files.ts";

/** A certificate and its key, PEM, and the files that hold them. */
export interface Certificate {
  readonly certificate: Buffer;
  readonly key: Buffer;
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** An authority of the tests, whose files are in `folder`. */
export interface Authority extends Certificate {
  /** Issues a certificate. `names`: subjectAltName as openssl takes it, none when empty; `days`: below zero it has expired. */
  issue(name: string, names: string, days?: number): Certificate;
}

const newKey = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";

/** Runs openssl with words that stand between spaces; values with a space come behind them. */
function openssl(words: string, ...more: readonly string[]): void {
  execFileSync("openssl", [...words.split(" "), ...more], { stdio: "pipe" });
}

function read(folder: string, name: string): Certificate {
  const certificateFile = join(folder, `${name}.pem`);
  const keyFile = join(folder, `${name}.key`);
  return {
    certificate: readFileSync(certificateFile),
    key: readFileSync(keyFile),
    certificateFile,
    keyFile,
  };
}

/** Makes an authority with openssl, which is not our own idea of a certificate. */
export function createAuthority(folder: string, name = "ca"): Authority {
  const base = join(folder, name);
  openssl(`req -x509 ${newKey} -days 30 -subj /CN=${name} -keyout`, `${base}.key`, "-out", `${base}.pem`);
  return {
    ...read(folder, name),
    issue(holder, names, days = 20) {
      const file = join(folder, holder);
      openssl(`req -new ${newKey} -subj /CN=${holder} -keyout`, `${file}.key`, "-out", `${file}.csr`);
      const extensions = names === "" ? "basicConstraints=CA:FALSE" : `subjectAltName=${names}`;
      writeFileSync(`${file}.ext`, `${extensions}\n`);
      const issuer = ["-CA", `${base}.pem`, "-CAkey", `${base}.key`, "-extfile", `${file}.ext`];
      openssl(`x509 -req -CAcreateserial -days ${days} -in`, `${file}.csr`, ...issuer, "-out", `${file}.pem`);
      return read(folder, holder);
    },
  };
}

/** What an engine is given. */
export function materialOf(
  { certificate, key }: Certificate,
  authority: Certificate,
  clientCertificate: TlsMaterial["clientCertificate"] = "require",
): TlsMaterial {
  return { certificate, key, ca: authority.certificate, minVersion: "TLSv1.2", clientCertificate };
}
