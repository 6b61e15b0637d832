import { listeners, type Sent } from "../support/proxy.ts";
import { fieldOf, splitField, type Draft } from "./draft.ts";
import { namesCaller, readCallers } from "./second-reader.ts";

const ownHosts = new Set(listeners.map(({ sentBy }) => sentBy));

/** The fields that the filter has its own lines in (RFC 3261 section 16.6). */
const rewritten = new Set(["via", "max-forwards", "record-route", "route", "p-sigwall-label"]);

/** The version is written in any case (RFC 3261 section 7.1). */
export function isResponse({ start }: Draft): boolean {
  return /^sip\/2\.0 /i.test(start);
}

/** What a strict reader would not take: the grammar of RFC 3261 section 7 as far as lines go. */
export function findMalformation(
  { text }: Sent,
  { start, fields, body }: Draft,
  isAnswer: boolean,
): string | undefined {
  if (!/^(?:SIP\/2\.0 [1-6]\d\d |[!-~]+ [!-\xff]+ SIP\/2\.0$)/i.test(start))
    return `start line ${JSON.stringify(start)}`;
  if (!text.includes("\r\n\r\n")) return "no end of the header fields";
  for (const field of fields) {
    if (!/^[\w!#$%&'*+.^`|~-]+[ \t]*(?:\r\n[ \t]+)?:/.test(field))
      return `field ${JSON.stringify(field.slice(0, 80))}`;
    if (/[\0\x7f]|\r(?!\n[ \t])|(?<!\r)\n/.test(field))
      return `control bytes in ${JSON.stringify(field.slice(0, 80))}`;
  }
  for (const name of ["from", "to", "call-id", "cseq", "via"]) {
    const times = fields.filter((field) => splitField(field)[0] === name).length;
    if (times > 1 ? name !== "via" : times === 0 && !isAnswer) return `${name} stands ${times} times`;
  }
  const length = fieldOf({ start, fields, body }, "content-length");
  if (length !== "" && Number(length) !== body.length) return `Content-Length ${length}, body ${body.length}`;
  return undefined;
}

/** What differs between a request that came and the one that left, our own lines apart. */
export function findChange(incoming: Draft, draft: Draft, mayReroute: boolean): string | undefined {
  const length = fieldOf(incoming, "content-length");
  const body = length === "" ? incoming.body : incoming.body.slice(0, Number(length));
  if (draft.body !== body) return "the body";
  const after = untouched(draft.fields);
  const before = untouched(incoming.fields).filter((field) => !mayGo(incoming, field, after));
  const changed = findChangedField(before, after);
  if (changed !== undefined && !isAnonymous(draft)) return `a field: ${JSON.stringify(changed.slice(0, 80))}`;
  const [shown] = changed === undefined ? [] : [...readCallers(draft), ...findShown(incoming, draft)];
  if (shown !== undefined) return `a withheld call shows ${shown}`;
  const [own = "", ...others] = viasOf(draft);
  const sentBy =
    /^Via: SIP\/2\.0\/UDP (\S+);branch=z9hG4bKsw[0-9a-z]{25}(?:;s[wd]=[\w-]{16})?(?:;st=[\w-]{1,80})?$/.exec(
      own,
    )?.[1] ?? "";
  if (!ownHosts.has(sentBy)) return `no Via of ours: ${own}`;
  if (others.slice(1).join("\n") !== viasOf(incoming).slice(1).join("\n")) return "Via values of others";
  const forwards = Number(fieldOf(draft, "max-forwards"));
  const had = fieldOf(incoming, "max-forwards");
  if (forwards !== (had === "" ? 70 : Number(had) - 1)) return `Max-Forwards ${had} to ${forwards}`;
  return incoming.start === draft.start || mayReroute ? undefined : "the start line";
}

/** A token as it was written: peers return it with escapes and in another case (RFC 3261 section 19.1.4). */
export function foldToken(shown: string): string {
  return shown
    .replaceAll(/%([0-9a-f]{2})/gi, (_escape, code: string) => String.fromCharCode(parseInt(code, 16)))
    .toLowerCase();
}

/** Fields that name parties. One with a party that the call does not have goes from a request inside its dialog. */
const partyFields: ReadonlySet<string> = new Set([
  "p-asserted-identity",
  "p-preferred-identity",
  "remote-party-id",
  "referred-by",
  "diversion",
  "history-info",
]);

/** True for Remote-Party-ID where one names the called party: a request that begins a call goes on without all of them. */
export function isOfCalledParty(fields: readonly string[], name: string): boolean {
  if (name !== "remote-party-id") return false;
  return fields.some((field) => splitField(field)[0] === name && /;\s*party\s*=\s*"?called/i.test(field));
}

function mayGo(incoming: Draft, field: string, after: readonly string[]): boolean {
  const isInDialog = /;\s*tag\s*=/i.test(fieldOf(incoming, "to"));
  const name = splitField(field)[0];
  if (!isOfCalledParty(incoming.fields, name) && (!isInDialog || !partyFields.has(name))) return false;
  return !after.some((left) => left === field || isNameless(field, left));
}

/** Fields that a withheld call keeps as they came: its transaction, its dialog and its body. */
const kept =
  /^(?:via|to|call-id|cseq|max-forwards|contact|route|record-route|content-|mime-version|require|proxy-require|supported|event|subscription-state|expires|min-|session-expires|rseq|rack|replaces|join|target-dialog|refer-to|info-package|sip-)/;

/** The numbers of the callers that came, as far as the fields that left show them, in other fields than those that stay. */
function findShown(incoming: Draft, draft: Draft): readonly string[] {
  const left = draft.fields.filter((field) => !kept.test(splitField(field)[0]));
  const text = left.join("\n").replaceAll(/[-.() \t]/g, "");
  const ends = readCallers(incoming).map((caller) => caller.replaceAll(/\D/g, "").slice(-11));
  return ends.filter((end) => end.length === 11 && text.includes(end) && !draft.start.includes(end));
}

/** From as RFC 3323 section 4.1.1.3 writes it: the filter's own where a number is withheld. */
export function isAnonymous(draft: Draft): boolean {
  return fieldOf(draft, "from").includes("<sip:anonymous@anonymous.invalid>");
}

function findChangedField(before: readonly string[], after: readonly string[]): string | undefined {
  const at = before.findIndex(
    (field, index) => field !== after[index] && !isNameless(field, after[index] ?? ""),
  );
  if (at >= 0) return after[at] ?? before[at];
  return after[before.length];
}

/** True when `after` is a caller's field `before` without its display names, which a misleading one costs all of them. */
function isNameless(before: string, after: string): boolean {
  if (!namesCaller(splitField(before)[0])) return false;
  const value = before.indexOf(":") + 1;
  const bare =
    before.slice(0, value) + before.slice(value).replaceAll(/(?:"(?:\\.|[^"\\])*"|[^<>,;"])+(?=<)/gs, "");
  return bare.replaceAll(/\s/g, "") === after.replaceAll(/\s/g, "");
}

/** The fields that no proxy may change, add to or drop. */
function untouched(fields: readonly string[]): readonly string[] {
  return fields.filter((field) => !rewritten.has(splitField(field)[0]));
}

function viasOf({ fields }: Draft): readonly string[] {
  return fields.filter((field) => splitField(field)[0] === "via");
}
