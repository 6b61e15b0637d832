import { otherForm, splitField, type Draft } from "./draft.ts";
import type { Random } from "./random.ts";
import { listedSpellings, unlistedSpellings } from "./setting.ts";

/** Pieces of what was seen on the wire, for forgeries. */
export interface Loot {
  readonly tokens: readonly string[];
  readonly branches: readonly string[];
  readonly tags: readonly string[];
  readonly fields: readonly string[];
}

type Mutation = (draft: Draft, random: Random, loot: Loot) => void;

const numbers = [...listedSpellings, ...unlistedSpellings];
const uris = [
  (user: string) => `<sip:${user}@203.0.113.10>`,
  (user: string) => `<sip:${user}@203.0.113.10;user=phone>`,
  (user: string) => `<tel:${user}>`,
  (user: string) => `<tel:${user};phone-context=+86>`,
  (user: string) => `"95588" <sips:${user}@a.example>`,
  (user: string) => `sip:${user}@a.example`,
  (user: string) => `<sip:${user}:95588@a.example>`,
  (user: string) => `<sip:${user};isub=1;npdi@a.example>`,
  (user: string) => `<sip:${user}@a.example?P-Asserted-Identity=%3Csip:110@a%3E>`,
  (user: string) => `"a, <sip:95588@b>" <sip:${user}@a>, <tel:+861087654321>`,
  (user: string) => `<sip:%${(user.charCodeAt(0) || 48).toString(16)}${user.slice(1)}@a>`,
];
const values = ["", " ", ",", ";", "<", '"', "\\", "-1", "0", "1e3", "4294967296", "99999999999999999999"];
const callerFields = ["From", "f", "P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID"];
const otherFields = [
  "Privacy: id",
  "Privacy: none",
  "Privacy: header;user",
  "Diversion: <tel:+861087654321>;reason=unconditional",
  "History-Info: <sip:1@a?Reason=x>;index=1,<sip:2@a;cause=302>;index=1.1",
  "Proxy-Require: foo",
  "Require: 100rel",
  "Replaces: call-1;to-tag=a;from-tag=b",
  "Content-Encoding: gzip",
  "Content-Type: application/ISUP;version=itu-t92+",
  "Content-Type: application/x-isup;version=itu-t92+",
  "Content-Type: application/QSIG",
  "Content-Type: multipart/mixed;boundary=x",
  "P-Charge-Info: <sip:+8613912345678@a>",
  "X-Caller: 0086 139-1234-5678",
  "Max-Forwards: 0",
  "Subject: \xff\xfe",
  "X-\x7f: a",
  ": empty",
  "NoColon",
];
const methods =
  "INVITE ACK CANCEL BYE UPDATE PRACK INFO OPTIONS REGISTER MESSAGE REFER SUBSCRIBE invite X-NEW".split(" ");

function pickField(draft: Draft, random: Random): number {
  return random.below(Math.max(draft.fields.length, 1));
}

/** Replaces the first match of `pattern` in a randomly picked field that has one. */
function replaceIn(draft: Draft, random: Random, pattern: RegExp, next: (match: string) => string): void {
  const places = draft.fields.flatMap((field, index) => (pattern.test(field) ? [index] : []));
  if (places.length === 0) return;
  const index = random.pick(places);
  draft.fields[index] = draft.fields[index]?.replace(pattern, next) ?? "";
}

function spoil(text: string, random: Random): string {
  const at = random.below(text.length + 1);
  const piece = random.pick(["", "0", "~", ".", "f", text.slice(0, 5), text]);
  return text.slice(0, at) + piece + text.slice(at + random.below(3));
}

/** What knows the structure of a SIP message; bytes at random are {@link file://./damage.ts}. */
export const mutations: readonly Mutation[] = [
  // A field twice, next to itself or at the end, under its own name or the other form's.
  (draft, random) => {
    const field = draft.fields[pickField(draft, random)] ?? "";
    const [name, value] = splitField(field);
    const copy = random.once(2) ? field : `${otherForm(name)}: ${value}`;
    draft.fields.splice(random.below(draft.fields.length + 1), 0, copy);
  },
  // The same with another value: two readers may take one each.
  (draft, random) => {
    const [name] = splitField(draft.fields[pickField(draft, random)] ?? "");
    const value = random.pick([random.pick(values), random.pick(uris)(random.pick(numbers))]);
    draft.fields.splice(
      random.below(draft.fields.length + 1),
      0,
      `${random.once(2) ? name : otherForm(name)}: ${value}`,
    );
  },
  (draft, random) => {
    const index = pickField(draft, random);
    const [name, value] = splitField(draft.fields[index] ?? "");
    draft.fields[index] = `${otherForm(name)}${random.pick(["", " ", "\t", "\r\n "])}:${value}`;
  },
  (draft, random) => {
    const index = pickField(draft, random);
    const field = draft.fields[index] ?? "";
    const at = random.below(field.length + 1);
    draft.fields[index] =
      `${field.slice(0, at)}${random.pick(["\r\n ", "\r\n\t", "\n ", "\r "])}${field.slice(at)}`;
  },
  (draft, random) => void draft.fields.splice(pickField(draft, random), 1),
  (draft, random) => {
    const [field = ""] = draft.fields.splice(pickField(draft, random), 1);
    draft.fields.splice(random.below(draft.fields.length + 1), 0, field);
  },
  // Content-Length: absent, short, long, several, huge.
  (draft, random) => {
    const right = draft.body.length;
    const wrong = [
      right - 1,
      right + 1,
      0,
      -1,
      `+${right}`,
      `0${right}`,
      `${right}, ${right}`,
      2 ** 31,
      "1e1",
    ];
    draft.fields = draft.fields.filter(
      (field) => splitField(field)[0] !== "content-length" || random.once(3),
    );
    draft.fields.push(`${random.once(2) ? "Content-Length" : "l"}: ${random.pick(wrong)}`);
  },
  (draft, random) =>
    replaceIn(draft, random, /(?<=CSeq:).*/i, (was) =>
      random.pick([
        " 0 INVITE",
        " 2147483648 INVITE",
        " 1 ACK",
        `${was} x`,
        was.replace(/\d+/, "7"),
        " 1\tinvite",
      ]),
    ),
  // Callers: another number, another spelling, another field.
  (draft, random) => replaceIn(draft, random, /(?<=(?:sips?|tel):)[^@>;]*/i, () => random.pick(numbers)),
  (draft, random) => {
    const field = `${random.pick(callerFields)}: ${random.pick(uris)(random.pick(numbers))}`;
    const end = random.pick(["", "", ";privacy=full", ";party=called", ";screen=yes;party=calling"]);
    draft.fields.splice(random.below(draft.fields.length + 1), 0, field + end);
  },
  (draft, random) => {
    const index = draft.fields.findIndex((field) => splitField(field)[0] === "from");
    const tag = /;\s*tag=[^;]*/i.exec(draft.fields[index] ?? "")?.[0] ?? ";tag=x";
    if (index >= 0) draft.fields[index] = `From: ${random.pick(uris)(random.pick(numbers))}${tag}`;
  },
  (draft, random) =>
    void draft.fields.splice(random.below(draft.fields.length + 1), 0, random.pick(otherFields)),
  // Forgeries: tokens, branches, tags and fields of other calls, whole or spoiled.
  (draft, random, { tokens }) =>
    replaceIn(draft, random, /(?<=;sw=)[^;>,\s]*/, (was) =>
      random.once(2) && tokens.length > 0 ? random.pick(tokens) : spoil(was, random),
    ),
  (draft, random, { branches }) =>
    replaceIn(draft, random, /(?<=branch=)[^;,\s]*/i, (was) =>
      random.once(2) && branches.length > 0 ? random.pick(branches) : spoil(was, random),
    ),
  (draft, random, { tags }) =>
    replaceIn(draft, random, /(?<=tag=)[^;,\s]*/i, (was) =>
      random.once(2) && tags.length > 0 ? random.pick(tags) : spoil(was, random),
    ),
  (draft, random, { fields }) => {
    if (fields.length > 0) draft.fields.splice(random.below(draft.fields.length + 1), 0, random.pick(fields));
  },
  (draft, random, { tokens }) => {
    const token = tokens.length > 0 && random.once(2) ? `;sw=${random.pick(tokens)}` : "";
    const host = random.pick([
      "192.0.2.1",
      "192.0.2.1:5060",
      "[2001:DB8:0::1]",
      "203.0.113.66",
      "198.51.100.1",
    ]);
    const route = `${random.pick(["Route", "route", "Record-Route"])}: <sip:${host}${random.pick([";lr", ""])}${token}>`;
    draft.fields.splice(random.below(draft.fields.length + 1), 0, route);
  },
  // The Via that answers follow.
  (draft, random) =>
    replaceIn(draft, random, /(?<=Via:\s*SIP\/2\.0\/\w+ ).*/i, (was) =>
      random.pick([
        `203.0.113.66:9;${was.slice(was.indexOf(";") + 1)}`,
        `${was};received=203.0.113.66`,
        `${was};rport=9;maddr=203.0.113.66`,
        `${was}, SIP/2.0/UDP 203.0.113.66;branch=z9hG4bKy`,
        `${was};rport`,
        "",
      ]),
    ),
  // Start lines.
  (draft, random) => {
    const method = random.pick(methods);
    draft.start = draft.start.replace(/^\S+/, method);
    if (random.once(2)) replaceIn(draft, random, /(?<=CSeq:\s*\d+\s+)\S+/i, () => method);
  },
  (draft, random) => {
    const [, was = ""] = draft.start.split(" ");
    const user = random.pick([...numbers, "120", "12110"]);
    const target = random.pick([
      `sip:${user}@203.0.113.66`,
      `tel:${user}`,
      "urn:service:sos.police",
      "http://a",
      `<${was}>`,
      `${was};maddr=203.0.113.66`,
      `${was}?From=x`,
      `sip:${user}@192.0.2.1;lr;sw=a.b.c.d.e.f.g`,
    ]);
    draft.start = draft.start.replace(was, target);
  },
  (draft, random) =>
    void (draft.start = random.pick([
      draft.start.replace("SIP/2.0", "sip/2.0"),
      draft.start.replace("2.0", "3.0"),
      ` ${draft.start}`,
      `\r\n\r\n${draft.start}`,
      draft.start.replaceAll(" ", "  "),
      draft.start.replace(/\d\d\d/, "999"),
    ])),
  // Too much of something.
  (draft, random) => {
    const field = draft.fields[pickField(draft, random)] ?? "";
    for (let more = random.pick([40, 260]); more > 0; more--) draft.fields.push(field);
  },
  (draft, random) => {
    const index = pickField(draft, random);
    draft.fields[index] += random
      .pick([",", ";a", "<", '"', "0", "(", "%41"])
      .repeat(random.pick([300, 20_000]));
  },
  // Another message behind this one.
  (draft) => void (draft.body += `${draft.start}\r\n${draft.fields.join("\r\n")}\r\n\r\n`),
  (draft, random) => {
    draft.body = random.pick([
      "",
      "\0\xff",
      "--x\r\nContent-Type: application/isup\r\n\r\n\x01\r\n--x--\r\n",
      "v=0\r\n",
    ]);
    if (random.once(2))
      draft.fields = draft.fields.map((field) =>
        splitField(field)[0] === "content-length" ? `Content-Length: ${draft.body.length}` : field,
      );
  },
];
