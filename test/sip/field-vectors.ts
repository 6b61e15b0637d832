import { createAddressSpan, readAddress, readParam, readUri } from "../../src/sip/fields/name-addr.ts";
import { readMediaType } from "../../src/sip/fields/media-type.ts";
import { readVia } from "../../src/sip/fields/via.ts";
import { isEmergencyUrn, readCallee } from "../../src/sip/attempt/called.ts";
import { describeNumber, planOf } from "../numbering/reading.ts";
import { type Findings, refuseVector, type Vector } from "../support/literate-vector.ts";
import { quote, quoteSpan, valueOf } from "../support/vector-octets.ts";

/** `via`: the value of a Via field, every value of a list. */
function readViaVector(vector: Vector): Findings {
  const value = valueOf(vector);
  const findings = new Map<string, string>();
  let fault = "none";
  for (let at = 0, i = 0; at <= value.length; i++) {
    const via = readVia(value, at);
    if (via === undefined) {
      fault = "unreadable";
      break;
    }
    const { transport, host, port, sentBy, branch, received, rport, paramsStart, end } = via;
    findings.set(`via[${i}].transport`, quote(transport));
    findings.set(`via[${i}].host`, quote(host));
    findings.set(`via[${i}].port`, port === 0 ? "none" : String(port));
    findings.set(`via[${i}].sent-by`, quote(sentBy));
    findings.set(`via[${i}].branch`, quote(branch));
    findings.set(`via[${i}].received`, received === undefined ? "none" : quote(received));
    findings.set(`via[${i}].rport`, rport === undefined ? "none" : rport === 0 ? "asked" : String(rport));
    findings.set(`via[${i}].parameters`, quoteSpan(value, paramsStart, end));
    at = end === value.length ? Infinity : end + 1;
  }
  return findings.set("fault", fault);
}

/** The parameters of an address that the filter asks for. */
const parameterNames = ["tag", "party", "privacy", "screen", "reason", "index", "cause", "lr", "expires"];

/** `address`: the value of an address field, every value of a list. */
function readAddressVector(vector: Vector): Findings {
  const value = valueOf(vector);
  const span = createAddressSpan();
  const findings = new Map<string, string>();
  let fault = "none";
  for (let at = 0, i = 0; at <= value.length; i++) {
    readAddress(value, at, span);
    const { displayStart, displayEnd, uriStart, uriEnd, paramsStart, end } = span;
    if (fault === "none") fault = span.fault ?? "none";
    findings.set(
      `address[${i}].name`,
      displayStart === displayEnd ? "none" : quoteSpan(value, displayStart, displayEnd),
    );
    findings.set(`address[${i}].uri`, quoteSpan(value, uriStart, uriEnd));
    findings.set(`address[${i}].parameters`, quoteSpan(value, paramsStart, end));
    for (const name of parameterNames) {
      let isRepeated = false;
      const found = readParam(value, paramsStart, end, name, () => (isRepeated = true));
      const said = found === undefined ? "none" : quote(found) + (isRepeated ? ", repeated" : "");
      findings.set(`address[${i}].${name}`, said);
    }
    at = end === value.length ? Infinity : end + 1;
  }
  return findings.set("fault", fault);
}

/** `uri`: a URI alone. With a trunk as option (`domestic:10`, `intl`) the called number of a Request-URI too. */
function readUriVector(vector: Vector): Findings {
  const value = valueOf(vector);
  const uri = readUri(value, 0, value.length);
  const findings = new Map([
    ["fault", uri.fault ?? "none"],
    ["scheme", uri.scheme],
    ["user", uri.user === undefined ? "none" : quote(uri.user)],
    ["host", quote(uri.host)],
    ["port", uri.port === 0 ? "none" : uri.port < 0 ? "unreadable" : String(uri.port)],
    ["parameters", quote(uri.params)],
  ]);
  const [trunk] = vector.options;
  if (trunk !== undefined) {
    findings.set("called", describeNumber(readCallee(uri, planOf(trunkOf(vector, trunk)))));
    findings.set("emergency-urn", isEmergencyUrn(uri) ? "yes" : "no");
  }
  return findings;
}

/** The words of a trunk, if they are some. */
export function trunkOf(vector: Vector, words: string): string {
  return /^(?:intl|domestic|domestic:[0-9]+)$/.test(words)
    ? words
    : refuseVector(vector, `no trunk is called ${words}`);
}

/** `media-type`: the value of a Content-Type field. */
function readMediaTypeVector(vector: Vector): Findings {
  const type = readMediaType(valueOf(vector));
  if (type === undefined) return new Map([["fault", "unreadable"]]);
  const findings = new Map([
    ["fault", "none"],
    ["name", type.name],
  ]);
  if (type.parameters.size === 0) findings.set("parameters", "none");
  for (const [name, value] of type.parameters) findings.set(`parameter[${name}]`, quote(value));
  return findings;
}

/** `via`, `address`, `uri`, `media-type`. */
export const fieldKinds = {
  via: readViaVector,
  address: readAddressVector,
  uri: readUriVector,
  "media-type": readMediaTypeVector,
} as const;
