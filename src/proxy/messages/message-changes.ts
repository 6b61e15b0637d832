// What is changed in a request that passes: fields removed, a number withheld, a label added.
import { Buffer } from "node:buffer";
import type { Trunk } from "../../domain/trunk.ts";
import type { Decision } from "../../domain/decision.ts";
import { PrivacyFlag } from "../../domain/attempt.ts";
import { createAddressSpan, readAddress, readParam } from "../../sip/fields/name-addr.ts";
import { changeAddresses, type AddressChange } from "../../sip/fields/name-addr-edit.ts";
import { splice, type Edits } from "../../sip/edit.ts";
import { nameOfField } from "../../sip/field-name.ts";
import { Header } from "../../sip/header.ts";
import { readPartyClaims } from "../../sip/attempt/remote-party.ts";
import { readPrivacy } from "../../sip/attempt/sip-identity.ts";
import { headerValue, nextHeader, type SipMessage } from "../../sip/message.ts";
import { withheldTest } from "./withheld-fields.ts";

/**
 * The field that carries a label to the called side. Only the filter sets it; a label that a trunk wrote is removed.
 */
const LABEL = "P-Sigwall-Label";

/**
 * What is changed in a request that passes, in addition to the changes of forwarding. An undefined value of this type
 * means no change.
 */
export interface MessageChanges {
  /** Long names of the fields that are removed, in lower case. */
  readonly fields: ReadonlySet<string>;
  readonly change: AddressChange;
  /** True: the calling number is not shown (RFC 3323, RFC 3325). */
  readonly isWithheld: boolean;
  /** True: From is made anonymous, and nothing else is withheld. */
  readonly withoutFrom: boolean;
  /** Value of the label's field. Empty: no label. */
  readonly label: string;
}

const NO_FIELDS: ReadonlySet<string> = new Set();
export const UNCHANGED: AddressChange = { withoutName: false, prefix: "", withoutVerstat: false };

/**
 * The changes for a withheld call in requests that no decision is made about, such as ACK, BYE and CANCEL of its
 * calling side.
 */
export const withheld: MessageChanges = {
  fields: NO_FIELDS,
  change: UNCHANGED,
  isWithheld: true,
  withoutFrom: false,
  label: "",
};

/** Returns the changes that a trunk's policy and the marks of a decision ask for. Undefined for an ordinary call. */
export function changesOf(
  { cleanUp, label }: Trunk,
  { marks, verdict }: Pick<Decision, "marks" | "verdict">,
): MessageChanges | undefined {
  if (cleanUp === undefined && marks.every(({ kind }) => kind === "observe")) return undefined;
  const isLabelled = verdict.kind === "label";
  return {
    fields: cleanUp?.fields ?? NO_FIELDS,
    change: {
      withoutName: marks.some(({ kind }) => kind === "strip"),
      withoutVerstat: cleanUp?.verstat ?? false,
      prefix: isLabelled ? quotable(label.displayName) : "",
    },
    isWithheld: verdict.kind === "withhold",
    withoutFrom: false,
    label: isLabelled ? labelOf(verdict.reason, label.text) : "",
  };
}

/** Returns the changes with these fields removed too. A name "from" makes From anonymous. */
export function alsoWithout(changes: MessageChanges | undefined, names: Iterable<string>): MessageChanges {
  const fields = new Set<string>(changes?.fields);
  for (const name of names) fields.add(name);
  const withoutFrom = fields.delete("from") || changes?.withoutFrom === true;
  return {
    fields,
    change: changes?.change ?? UNCHANGED,
    isWithheld: changes?.isWithheld ?? false,
    withoutFrom,
    label: changes?.label ?? "",
  };
}

/**
 * Obeys the Remote-Party-IDs of the calling side. One that names the called party goes: a telephone that does not read
 * `party` would show that number as the caller. Where one has `privacy=name`, the names of the caller go.
 */
export function obeyRemoteParty(
  message: SipMessage,
  changes: MessageChanges | undefined,
): MessageChanges | undefined {
  if (message.count[Header.remotePartyId] === 0) return changes;
  const { namesCalled, hidesName } = readPartyClaims(message);
  const obeyed = hidesName ? withoutNames(changes) : changes;
  return namesCalled ? alsoWithout(obeyed, ["remote-party-id"]) : obeyed;
}

/** Returns the changes with the display names of the caller removed too. */
function withoutNames(changes: MessageChanges | undefined): MessageChanges {
  const others = alsoWithout(changes, []);
  return { ...others, change: { ...others.change, withoutName: true } };
}

function labelOf(reason: string, text: string): string {
  return text === "" ? reason : `${reason};text="${quotable(text)}"`;
}

/**
 * Returns UTF-8 text in the latin1 form in which edits are written, escaped for a quoted-string (RFC 3261 section
 * 25.1).
 */
function quotable(text: string): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll('"', '\\"');
  return Buffer.from(escaped, "utf8").toString("latin1");
}

/** Returns the header line of a label, also for a 302. Empty without a label. */
export function labelLine(changes: MessageChanges | undefined): string {
  return changes === undefined || changes.label === "" ? "" : `${LABEL}: ${changes.label}\r\n`;
}

/** Removes the labels that a peer has written itself. */
export function removeLabels(message: SipMessage, edits: Edits): void {
  for (let i = message.first[Header.label]!; i >= 0; i = nextHeader(message, Header.label, i))
    splice(edits, message.lineStart[i]!, message.lineEnd[i]!, "");
}

/** Changes the request of the turn. The same changes of the same bytes give the same bytes. */
export function applyChanges(message: SipMessage, edits: Edits, changes: MessageChanges): void {
  const { fields, change, isWithheld } = changes;
  const isTelling = isWithheld ? withheldTest(message) : undefined;
  const hidesFrom = isWithheld || changes.withoutFrom;
  const changesAddresses = change.withoutName || change.withoutVerstat || change.prefix !== "";
  for (let i = 0; i < message.headerCount; i++) {
    const id = message.ids[i]!;
    if (id === Header.from && hidesFrom) replace(message, edits, i, withholdFrom(headerValue(message, i)));
    else if (id !== Header.from && (fields.has(nameOfField(message, i)) || isTelling?.(i) === true))
      splice(edits, message.lineStart[i]!, message.lineEnd[i]!, "");
    else if (changesAddresses && namesCaller(id))
      replace(message, edits, i, changeAddresses(headerValue(message, i), change));
  }
  const privacy = isWithheld ? `Privacy: ${withId(readPrivacy(message))}\r\n` : "";
  const lines = privacy + labelLine(changes);
  if (lines !== "") splice(edits, message.headersEnd, message.headersEnd, lines);
}

function namesCaller(id: number): boolean {
  return (
    id === Header.from ||
    id === Header.pAssertedIdentity ||
    id === Header.pPreferredIdentity ||
    id === Header.remotePartyId
  );
}

function replace(message: SipMessage, edits: Edits, index: number, value: string): void {
  if (value !== headerValue(message, index))
    splice(edits, message.valueStart[index]!, message.valueEnd[index]!, value);
}

const span = createAddressSpan();

/**
 * Returns an anonymous From (RFC 3323 section 4.1.1.3). The tag stays, and with it the dialog. Both sides tell dialogs
 * by Call-ID and tags alone (RFC 3261 section 12). So nothing need be remembered to restore the number.
 */
function withholdFrom(value: string): string {
  readAddress(value, 0, span);
  const tag = readParam(value, span.paramsStart, span.end, "tag");
  const anonymous = '"Anonymous" <sip:anonymous@anonymous.invalid>';
  return tag === undefined ? anonymous : `${anonymous};tag=${tag}`;
}

/**
 * Returns the privacy values that the message asks for, and `id`. A gateway maps `id` to "presentation restricted" (RFC
 * 3325 section 9.3).
 */
function withId(privacy: number): string {
  const values = (["header", "session", "user", "history", "critical"] as const).filter(
    (value) => (privacy & PrivacyFlag[value]) !== 0,
  );
  return ["id", ...values].join(";");
}
