import { spawnSync } from "node:child_process";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import type { Test } from "tap";

/** False where openssl is not installed. */
export const hasOpenssl = spawnSync("openssl", ["version"]).error === undefined;

/** Runs openssl in a folder. */
export function openssl(cwd: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync("openssl", args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`openssl ${args.join(" ")}: ${stderr}`);
  return stdout + stderr;
}

/** Makes a time stamping authority of openssl in a folder. */
export function makeAuthority(folder: string): void {
  const config = [
    "[req]\ndistinguished_name=dn\nprompt=no\nx509_extensions=ext\n[dn]\nCN=Test authority",
    "[ext]\nextendedKeyUsage=critical,timeStamping\nbasicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature",
    "[tsa]\ndefault_tsa=tsa1\n[tsa1]\nserial=serial\nsigner_cert=ca.pem\nsigner_key=ca.key\nsigner_digest=sha256",
    "default_policy=1.2.3.4.1\ndigests=sha256\naccuracy=secs:1\nordering=yes\ntsa_name=yes\ness_cert_id_chain=no\n",
  ].join("\n");
  writeFileSync(join(folder, "tsa.cnf"), config);
  writeFileSync(join(folder, "serial"), "01\n");
  openssl(
    folder,
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-config",
    "tsa.cnf",
    "-days",
    "3650",
  );
}

/** What the authority does otherwise than it should. */
export interface AuthorityChange {
  reply: (reply: Buffer) => Buffer;
  status?: number | undefined;
  /** Set: the content type of the last request. */
  type?: string;
  /** Told of each request. */
  asked?: () => void;
}

/** Serves the authority; `change` may forge its reply. */
export async function serveAuthority(t: Test, folder: string, change: AuthorityChange): Promise<string> {
  const server: Server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      change.asked?.();
      change.type = request.headers["content-type"] ?? "";
      writeFileSync(join(folder, "query.tsq"), Buffer.concat(pieces));
      openssl(folder, "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query.tsq", "-out", "reply.tsr");
      response.writeHead(change.status ?? 200, { "Content-Type": "application/timestamp-reply" });
      response.end(change.reply(readFileSync(join(folder, "reply.tsr"))));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/`;
}
