import { formatAddress, parseAddress } from "../../net/address.ts";

/** What of a certificate names its holder; the rest of what node:tls reads is left alone. */
export interface NamedCertificate {
  readonly subject?: { readonly CN?: string | readonly string[] };
  /** As node:tls writes it: `DNS:a.example, URI:sip:b.example, IP Address:192.0.2.1`. */
  readonly subjectaltname?: string | undefined;
}

/** Names in lower case, and literal addresses. */
export interface CertificateNames {
  readonly names: readonly string[];
  readonly addresses: readonly string[];
}

/**
 * The SIP domains that a verified certificate proves (RFC 5922 section 7.1): its DNS names and `sip` URIs without a user part, or its
 * common name where it has no alternative names at all. A wildcard proves nothing (section 7.2).
 */
export function readCertificateNames({ subject, subjectaltname }: NamedCertificate): CertificateNames {
  const names: string[] = [];
  const addresses: string[] = [];
  const add = (name: string): void => {
    if (name !== "" && !name.includes("*")) names.push(name.toLowerCase());
  };
  if (subjectaltname === undefined || subjectaltname === "") {
    // More than one common name can't be told apart from a forged one.
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

/** node:tls writes IPv6 addresses in full; targets are written by RFC 5952. */
function canonical(text: string): readonly string[] {
  const address = parseAddress(text);
  return address === undefined ? [] : [formatAddress(address)];
}

/** The entries between ", "; one that node:tls had to quote holds what no name does, and is left out. */
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

/** The host of a `sip` URI that has neither user nor anything behind it; empty for every other. */
function domainOf(uri: string): string {
  if (uri.slice(0, 4).toLowerCase() !== "sip:") return "";
  const host = uri.slice(4);
  return ["@", ":", ";", "?", "/"].some((char) => host.includes(char)) ? "" : host;
}
