// Reads the SIP domains and addresses that a verified certificate proves.
import { formatAddress, parseAddress } from "../../net/address.ts";

/** The parts of a certificate that name its holder. */
export interface NamedCertificate {
  readonly subject?: { readonly CN?: string | readonly string[] };
  /** As node:tls writes it: `DNS:a.example, URI:sip:b.example, IP Address:192.0.2.1`. */
  readonly subjectaltname?: string | undefined;
}

/** Host names in lower case, and literal addresses. */
export interface CertificateNames {
  readonly names: readonly string[];
  readonly addresses: readonly string[];
}

/**
 * Reads the SIP domains that a verified certificate proves: its DNS names and `sip` URIs without
 * user part (RFC 5922 section 7.1). Without alternative names, its common name counts. Wildcards
 * prove nothing (section 7.2).
 */
export function readCertificateNames({ subject, subjectaltname }: NamedCertificate): CertificateNames {
  const names: string[] = [];
  const addresses: string[] = [];
  const add = (name: string): void => {
    if (name !== "" && !name.includes("*")) names.push(name.toLowerCase());
  };
  if (subjectaltname === undefined || subjectaltname === "") {
    // With more than one common name, the right one can't be told from a forged one.
    if (typeof subject?.CN === "string") add(subject.CN);
    return { names, addresses };
  }
  for (const entry of splitEntries(subjectaltname)) {
    if (entry.startsWith("DNS:")) add(entry.slice(4));
    else if (entry.startsWith("IP Address:")) addresses.push(...canonical(entry.slice(11)));
    else if (entry.startsWith("URI:")) add(domainOf(entry.slice(4)));
  }
  return { names, addresses };
}

/** Returns the canonical form of an address (RFC 5952); node:tls writes IPv6 addresses in full. */
function canonical(text: string): readonly string[] {
  const address = parseAddress(text);
  return address === undefined ? [] : [formatAddress(address)];
}

/**
 * Splits the text at ", ". An entry that node:tls had to quote holds characters of no name and is
 * left out.
 */
function splitEntries(text: string): readonly string[] {
  const entries: string[] = [];
  let start = 0;
  let isQuoted = false;
  let wasQuoted = false;
  for (let i = 0; i <= text.length; i++) {
    const char = text.charAt(i);
    if (isQuoted && char === "\\") i++;
    else if (char === '"') {
      isQuoted = !isQuoted;
      wasQuoted = true;
    } else if (i === text.length || (!isQuoted && text.startsWith(", ", i))) {
      if (!wasQuoted) entries.push(text.slice(start, i));
      start = i + 2;
      wasQuoted = false;
    }
  }
  return entries;
}

/** Returns the host of a `sip` URI that has nothing else. Empty for every other URI. */
function domainOf(uri: string): string {
  if (uri.slice(0, 4).toLowerCase() !== "sip:") return "";
  const host = uri.slice(4);
  return ["@", ":", ";", "?", "/"].some((char) => host.includes(char)) ? "" : host;
}
