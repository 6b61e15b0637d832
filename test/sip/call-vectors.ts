import type { AssertedIdentity } from "../../src/domain/identity.ts";
import { PrivacyFlag } from "../../src/domain/attempt.ts";
import { claimsIsup } from "../../src/sip/bodies/body.ts";
import { readIsupBody } from "../../src/sip/bodies/sip-i-body.ts";
import { readParts } from "../../src/sip/bodies/multipart.ts";
import { readMediaType } from "../../src/sip/fields/media-type.ts";
import { readAttempt } from "../../src/sip/attempt/sip-attempt.ts";
import { Header } from "../../src/sip/header.ts";
import { createMessage, headerValue } from "../../src/sip/message.ts";
import { scan } from "../../src/sip/scan.ts";
import { describeNumber, planOf } from "../numbering/reading.ts";
import { makeTrunk } from "../support/attempt.ts";
import { type Findings, refuseVector, type Vector } from "../support/literate-vector.ts";
import { hexOf, insideBase, quote, quoteSpan } from "../support/vector-octets.ts";
import { trunkOf } from "./field-vectors.ts";

const origin = {
  signalling: "sip",
  transport: "udp",
  sourceAddress: "203.0.113.10",
  sourcePort: 5060,
  destinationAddress: "192.0.2.1",
  destinationPort: 5060,
} as const;

/** `from: +861087654321 fixed, allowed, named "Ops"`. */
function sayIdentity({ source, number, presentation, display }: AssertedIdentity): string {
  const named = display === undefined ? "" : `, named ${quote(display)}`;
  return `${source}: ${describeNumber(number)}, ${presentation}${named}`;
}

function sayList(findings: Map<string, string>, list: string, values: readonly string[]): void {
  if (values.length === 0) findings.set(list, "none");
  for (const [i, value] of values.entries()) findings.set(`${list}[${i}]`, value);
}

/** `identities`: header fields of the INVITE that the page's base is, on a trunk of domestic area 10 or the one in the options. */
function readIdentitiesVector(vector: Vector): Findings {
  const plan = planOf(trunkOf(vector, vector.options[0] ?? "domestic:10"));
  const trunk = makeTrunk({ side: plan.international ? "international" : "lessee", dialPlan: plan });
  const message = scan(createMessage(), insideBase(vector, "\r\n").bytes);
  const attempt = readAttempt(message, trunk, 0, origin);
  const findings = new Map([["fault", message.fault ?? "none"]]);
  sayList(findings, "calling", attempt.calling.map(sayIdentity));
  sayList(findings, "diverting", attempt.diversion.map(sayIdentity));
  const privacy = Object.entries(PrivacyFlag).filter(([, bit]) => (attempt.privacy & bit) !== 0);
  findings.set("privacy", privacy.map(([name]) => name).join(" ") || "none");
  findings.set("called", describeNumber(attempt.called));
  return findings;
}

/** `isup-body`: fields and body of the INVITE that the page's base is, and the ISUP message in it. */
function readIsupBodyVector(vector: Vector): Findings {
  const { bytes, offset } = insideBase(vector, "");
  const message = scan(createMessage(), bytes);
  if (message.fault !== undefined) return refuseVector(vector, message.fault);
  const claims: [string, string] = ["claims-isup", claimsIsup(message) ? "yes" : "no"];
  const body = readIsupBody(message);
  if (typeof body === "string") return new Map([["fault", body], claims]);
  const octets = hexOf(body.bytes.subarray(body.start, body.end));
  const where = body.bytes === bytes ? ` @${body.start - offset}-${body.end - offset}` : " decoded";
  return new Map([
    ["fault", "none"],
    claims,
    ["isup", octets + where],
    ["version", quote(body.version)],
    ["base", quote(body.base)],
  ]);
}

/** `parts`: fields and body of the INVITE that the page's base is, and the parts of the body. */
function readPartsVector(vector: Vector): Findings {
  const { bytes, offset } = insideBase(vector, "");
  const message = scan(createMessage(), bytes);
  const index = message.first[Header.contentType]!;
  const type = index < 0 ? undefined : readMediaType(headerValue(message, index));
  if (message.fault !== undefined || type === undefined)
    return refuseVector(vector, message.fault ?? "no media type");
  const parts = readParts(bytes, message.bodyStart, message.end, type);
  if (typeof parts === "string") return new Map([["fault", parts]]);
  const findings = new Map([["fault", "none"]]);
  if (parts.length === 0) findings.set("parts", "none");
  for (const [i, part] of parts.entries()) {
    findings.set(`part[${i}].type`, part.type.name);
    findings.set(`part[${i}].encoding`, part.encoding || "none");
    findings.set(`part[${i}].content`, quoteSpan(bytes.toString("latin1"), part.start, part.end, offset));
  }
  return findings;
}

/** `identities`, `isup-body`, `parts`. */
export const callKinds = {
  identities: readIdentitiesVector,
  "isup-body": readIsupBodyVector,
  parts: readPartsVector,
} as const;
