import t from "tap";
import { openDatabase } from "../../src/records/sealed/duckdb.ts";
import { eachAttempt, type LineSpan } from "../../src/records/asking/lines-in-order.ts";
import type { Fields } from "../../src/records/lines/line-fields.ts";
import { readAttempt } from "../../src/replay/recorded-attempts.ts";
import { readRecordedEnd } from "../../src/replay/recorded-calls.ts";
import { decided, ended, HOUR, openRecords, seal } from "../support/records-folder.ts";
import { makeTrunk } from "../support/attempt.ts";

const party = (source: string, raw: string, number?: string): Fields => ({
  source,
  raw,
  ...(number === undefined ? { why: "token" } : { number }),
  presentation: "allowed",
});
const pai = party("p-asserted-identity", "+861087654321", "+861087654321");
const from = party("from", "01087654321", "+861087654321");

/** Attempts of every shape that a record line has; hostile text where a peer writes it. */
const shapes: readonly (readonly [name: string, given: Fields])[] = [
  ["a plain call", {}],
  ["the same shape again", { callId: "call-2@203.0.113.10" }],
  ["no caller", { calling: [] }],
  ["four callers", { calling: [pai, from, party("remote-party-id", "1087654321", "+861087654321"), pai] }],
  ["a caller that is no number", { calling: [party("from", "anonymous")] }],
  ["digits without plus", { calling: [party("from", "861087654321", "+861087654321")] }],
  ["another order of callers", { calling: [from, pai] }],
  ["restricted", { calling: [{ ...pai, presentation: "restricted" }], privacy: ["id", "critical"] }],
  ["no called number", { called: undefined, requestUri: "urn:service:sos" }],
  ["a called party that is no number", { called: { raw: "nobody", why: "token" }, requestUri: "sip:x@y" }],
  ["parameters of the Request-URI", { requestUri: "sip:02787654321;phone-context=+86@192.0.2.1;user=phone" }],
  ["diversion", { diversion: [party("diversion", "01087654300", "+861087654300"), party("diversion", "x")] }],
  ["display names", { calling: [pai, from], displays: ['"Bank"', "京华"] }],
  ["a display name too few", { calling: [pai, from], displays: ['"Bank"'] }],
  ["bodies", { bodies: ["application/sdp", "application/isup"] }],
  ["line ends and separators", { callId: 'a\nb\r\u001e\u001f\u0000"\\@x', requestUri: "sip:0\n1@h" }],
  ["line ends in what is shared", { bodies: ["a\nb"], privacy: ["\n"], source: "203.0.113.10:5060" }],
  ["text that was no UTF-8", { callId: "\ufffd", rawHex: { callId: "ff" } }],
  ["IPv6, TLS", { source: "[2001:db8::1]:5061", destination: "[2001:db8::2]:5061", transport: "tls" }],
  ["a fault", { reason: "isup-undecodable", fault: "no called party number" }],
  [
    "an IAM",
    {
      signalling: "isup",
      transport: "mtp",
      source: undefined,
      isup: { opc: 1, dpc: 2, cic: 14, natureOfAddress: 3, screening: 1 },
      calling: [party("isup-calling-party", "1087654321", "+861087654321")],
      names: [{ source: "isup-generic-name", raw: "BANK 95588", presentation: "restricted" }],
    },
  ],
  ["an IAM without calling party", { signalling: "isup", isup: { opc: 1, dpc: 2, cic: 14 }, calling: [] }],
  ["a field that this version does not know", { later: { any: ["thing"] } }],
];

const momentOf = (second: number): string => new Date(HOUR + second * 1000).toISOString();
const span: LineSpan = { kinds: ["decided", "ended"], from: HOUR, to: HOUR + 3_600_000 };
const notOfAttempts = ["trunk", "verdict", "reason", "rule", "revision", "listener", "nextHop"];

/** What a judgement makes of lines: attempts, what they are compared with, and the ends. */
async function readJudged(
  records: string,
  kinds: LineSpan["kinds"] = span.kinds,
): Promise<readonly unknown[]> {
  const database = await openDatabase({ megabytes: 300, threads: 1 });
  const trunk = makeTrunk();
  const read: unknown[] = [];
  await eachAttempt(
    [records],
    typeof database === "string" ? undefined : database,
    { ...span, kinds },
    (line, at) =>
      read.push(
        line["record"] === "ended"
          ? readRecordedEnd(line, at)
          : {
              id: line["id"],
              ...Object.fromEntries(notOfAttempts.map((field) => [field, line[field] ?? undefined])),
              attempt: { ...readAttempt(line, trunk, at), ...(kinds.length === 1 ? { callId: "" } : {}) },
              displays: line["displays"] ?? undefined,
              bodies: line["bodies"] ?? undefined,
              rawHex: line["rawHex"] ?? undefined,
            },
      ),
  );
  if (typeof database !== "string") database.close();
  return read;
}

void t.test("attempts and ends of sealed hours are those of the lines", async (t) => {
  const { records, write } = openRecords(t);
  write("2026-10-03/08-gw-a.ndjson", [
    ...shapes.map(([name, given], index) => decided({ ...given, id: name, time: momentOf(2 * index) })),
    ...shapes.map(([name], index) => ended({ id: name, time: momentOf(2 * index + 1) })),
    ended({
      id: "no seconds",
      time: momentOf(100),
      answeredMs: undefined,
      seconds: undefined,
      cause: undefined,
    }),
    "no JSON",
  ]);
  write("2026-10-03/08-gw-b.ndjson", [decided({ id: "of another node", node: "gw-b", time: momentOf(5.5) })]);
  const open = await readJudged(records);
  const attemptsAlone = await readJudged(records, ["decided"]);
  t.equal(open.length, 2 * shapes.length + 2);
  t.equal(attemptsAlone.length, shapes.length + 1);
  const sealed = await seal(records);
  if (sealed.code !== 0) {
    t.pass("sealing", { skip: `no hour can be sealed here: ${sealed.err}` });
    return;
  }
  const again = await readJudged(records);
  for (const [index, line] of open.entries()) t.same(again[index], line);
  t.equal(again.length, open.length);
  t.same(await readJudged(records, ["decided"]), attemptsAlone);
});
