/** The certificates of the soak: one authority, which issues those of the filter and of both ends. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createAuthority } from "../../test/support/certificates.ts";
import type { Identity } from "./wire.ts";

/** Who shows a certificate. The files are `ca.pem`, and `.pem` and `.key` of each. */
const holders = ["filter", "caller", "called"] as const;

/** Issues the certificates in a folder, by openssl. */
export function issueIdentities(folder: string): void {
  const authority = createAuthority(folder);
  for (const holder of holders) authority.issue(holder, "IP:127.0.0.1");
}

export function readIdentity(folder: string, holder: (typeof holders)[number]): Identity {
  const read = (name: string): Buffer => readFileSync(join(folder, name));
  return {
    own: { certificate: read(`${holder}.pem`), key: read(`${holder}.key`) },
    authority: { certificate: read("ca.pem") },
  };
}
