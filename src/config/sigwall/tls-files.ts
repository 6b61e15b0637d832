// Reads the PEM files of the section `tls` and checks that certificate, key and authorities fit.
import { Buffer } from "node:buffer";
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { type ConfigIssue, hasErrors } from "../yaml/issue.ts";
import { type ReadFile, resolvePath } from "../yaml/config-files.ts";

/**
 * The section `tls` of `sigwall.yaml`; paths are relative to the working directory of the program.
 */
export interface TlsConfig {
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  readonly clientCertificate: "require" | "request" | "none";
}

/** Contents of the files of {@link TlsConfig}: PEM that has been read and checked. */
export interface TlsMaterial {
  readonly certificate: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer;
  readonly minVersion: TlsConfig["minVersion"];
  readonly clientCertificate: TlsConfig["clientCertificate"];
}

/** Resolves the paths of the section, which start at the folder of `sigwall.yaml`. */
export function resolveTls(sigwallPath: string, tls: TlsConfig): TlsConfig {
  const { certificate, key, ca } = tls;
  return {
    ...tls,
    certificate: resolvePath(sigwallPath, certificate),
    key: resolvePath(sigwallPath, key),
    ca: resolvePath(sigwallPath, ca),
  };
}

/**
 * Reads the certificates and the key and checks them against each other. Pure: the only inputs are
 * what `readFile` gives and the time.
 *
 * @param now Unix milliseconds, to find expired certificates
 * @returns `material` is undefined when `issues` has an error
 */
export function loadTls(
  readFile: ReadFile,
  config: TlsConfig,
  now: number,
): { readonly material: TlsMaterial | undefined; readonly issues: readonly ConfigIssue[] } {
  const { certificate, key, issues: pairIssues } = loadPair(readFile, config, now);
  const issues = [...pairIssues];
  const ca = readChain(readFile, config.ca, now, issues);
  if (hasErrors(issues) || certificate === undefined || key === undefined || ca === undefined)
    return { material: undefined, issues };
  const { minVersion, clientCertificate } = config;
  return { material: { certificate, key, ca: ca.pem, minVersion, clientCertificate }, issues };
}

/**
 * Reads a certificate with its chain, and its key, and checks that they belong together.
 *
 * @returns `certificate` and `key` are undefined when `issues` has an error
 */
export function loadPair(
  readFile: ReadFile,
  config: Pick<TlsConfig, "certificate" | "key">,
  now: number,
): {
  readonly certificate: Buffer | undefined;
  readonly key: Buffer | undefined;
  readonly issues: readonly ConfigIssue[];
} {
  const issues: ConfigIssue[] = [];
  const chain = readChain(readFile, config.certificate, now, issues);
  const key = readPem(readFile, config.key, issues);
  const secret = key === undefined ? undefined : readKey(key);
  if (typeof secret === "string") issues.push(complaint(config.key, secret));
  else if (secret !== undefined && chain?.certificates[0]?.checkPrivateKey(secret) === false)
    issues.push(complaint(config.key, `does not belong to the first certificate in ${config.certificate}`));
  return hasErrors(issues)
    ? { certificate: undefined, key: undefined, issues }
    : { certificate: chain?.pem, key, issues };
}

function complaint(file: string, message: string, severity: ConfigIssue["severity"] = "error"): ConfigIssue {
  return { severity, file, line: 1, column: 1, path: "", message };
}

function readPem(readFile: ReadFile, file: string, issues: ConfigIssue[]): Buffer | undefined {
  const content = readFile(file);
  if (!("error" in content)) return Buffer.from(content.bytes);
  issues.push(complaint(file, `can't be read: ${content.error}`));
  return undefined;
}

function readChain(
  readFile: ReadFile,
  file: string,
  now: number,
  issues: ConfigIssue[],
): { readonly pem: Buffer; readonly certificates: readonly X509Certificate[] } | undefined {
  const pem = readPem(readFile, file, issues);
  const certificates = pem === undefined ? undefined : readCertificates(pem);
  if (typeof certificates === "string") issues.push(complaint(file, certificates));
  if (pem === undefined || certificates === undefined || typeof certificates === "string") return undefined;
  for (const problem of findStale(certificates, now)) issues.push(complaint(file, problem, "warning"));
  return { pem, certificates };
}

const END = "-----END CERTIFICATE-----";

/**
 * Reads every certificate of a PEM file, in order.
 * @returns a string that says what is wrong
 */
function readCertificates(pem: Buffer): readonly X509Certificate[] | string {
  const parts = pem.toString("latin1").split(END).slice(0, -1);
  if (parts.length === 0) return "contains no certificate in PEM";
  try {
    return parts.map((part) => new X509Certificate(part + END));
  } catch {
    return "contains a certificate that can't be read";
  }
}

function readKey(pem: Buffer): KeyObject | string {
  try {
    return createPrivateKey(pem);
  } catch {
    return "is not a private key in PEM without a password";
  }
}

/** When the first certificate of a PEM chain expires. Unix milliseconds; NaN when it can't be read. */
export function expiryOf(pem: Buffer | string): number {
  const chain = readCertificates(Buffer.from(pem));
  return typeof chain === "string" ? NaN : Date.parse(chain[0]?.validTo ?? "");
}

const soon = 30 * 86_400_000;

/** Describes certificates that are not yet valid, expired, or expire within 30 days. */
function findStale(certificates: readonly X509Certificate[], now: number): readonly string[] {
  return certificates.flatMap(({ subject, validFrom, validTo }) => {
    const name = subject.replaceAll("\n", ", ");
    if (Date.parse(validFrom) > now) return [`the certificate of ${name} is not valid before ${validFrom}`];
    if (Date.parse(validTo) <= now) return [`the certificate of ${name} expired on ${validTo}`];
    return Date.parse(validTo) <= now + soon ? [`the certificate of ${name} expires on ${validTo}`] : [];
  });
}
