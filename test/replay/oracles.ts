// The ends of calls in captures of others: tshark reads the messages, and a naive count says how calls end.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { hasTshark } from "../support/tshark.ts";
import { parseLines, replay } from "../verify/run.ts";
import { captureOf, packetsOf } from "./call-script.ts";
import { writePolicy } from "./policy.ts";

const folder = mkdtempSync(join(tmpdir(), "sigwall-"));
t.teardown(() => rmSync(folder, { recursive: true }));
const config = writePolicy(folder, "oracles", "");
const shelf = join("..", "shared", "captures");
const fields = [
  "frame.number",
  "sip.Method",
  "sip.Status-Code",
  "sip.CSeq.method",
  "sip.CSeq.seq",
  "sip.Call-ID",
  "sip.from.tag",
  "sip.to.tag",
  "sip.Via.branch",
  "mtp3.opc",
  "mtp3.dpc",
  "isup.cic",
  "isup.message_type",
  "isup.cause_indicator",
] as const;
type Row = Readonly<Record<(typeof fields)[number], string>>;

/** The messages of SIP and ISUP as tshark reads them; of a frame with several, the first. */
function rowsOf(capture: string): readonly Row[] {
  const wanted = fields.flatMap((field) => ["-e", field]);
  const args = [
    "-r",
    capture,
    "-Y",
    "sip || isup",
    "-T",
    "fields",
    "-E",
    "occurrence=f",
    "-E",
    "separator=|",
  ];
  return execFileSync("tshark", [...args, ...wanted], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  })
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const cells = line.split("|");
      const value = (field: Row extends Readonly<Record<infer Name, string>> ? Name : never): string =>
        cells[fields.indexOf(field)] ?? "";
      return {
        "frame.number": value("frame.number"),
        "sip.Method": value("sip.Method"),
        "sip.Status-Code": value("sip.Status-Code"),
        "sip.CSeq.method": value("sip.CSeq.method"),
        "sip.CSeq.seq": value("sip.CSeq.seq"),
        "sip.Call-ID": value("sip.Call-ID"),
        "sip.from.tag": value("sip.from.tag"),
        "sip.to.tag": value("sip.to.tag"),
        "sip.Via.branch": value("sip.Via.branch"),
        "mtp3.opc": value("mtp3.opc"),
        "mtp3.dpc": value("mtp3.dpc"),
        "isup.cic": value("isup.cic"),
        "isup.message_type": value("isup.message_type"),
        "isup.cause_indicator": value("isup.cause_indicator"),
      };
    });
}

/** `FRAME how by status cause` of each call whose end the messages show, in no order. */
function naiveEnds(rows: readonly Row[]): readonly string[] {
  const ends: string[] = [];
  const begun = new Set<string>();
  /** SIP by Call-ID: the newest INVITE that began a call. */
  const calls = new Map<
    string,
    { frame: string; branch: string; caller: string; answered: boolean; bye: string }
  >();
  /** ISUP by circuit, the lower point code first. */
  const circuits = new Map<string, { frame: string; from: string; answered: boolean }>();
  for (const row of rows) {
    const {
      "frame.number": frame,
      "sip.Method": method,
      "sip.Status-Code": code,
      "sip.CSeq.method": of,
    } = row;
    const id = row["sip.Call-ID"];
    const call = calls.get(id);
    const status = Number(code);
    if (method === "INVITE" && row["sip.to.tag"] === "") {
      const key = `${id} ${row["sip.from.tag"]} ${row["sip.CSeq.seq"]}`;
      // A repeat, or the same call on another hop.
      if (begun.has(key)) continue;
      begun.add(key);
      calls.set(id, {
        frame,
        branch: row["sip.Via.branch"],
        caller: row["sip.from.tag"],
        answered: false,
        bye: "",
      });
    } else if (
      call !== undefined &&
      status >= 200 &&
      of === "INVITE" &&
      row["sip.Via.branch"] === call.branch
    ) {
      if (status < 300) call.answered = true;
      else if (!call.answered) {
        ends.push(`${call.frame} ${status === 487 ? "cancelled caller" : "refused called"} ${status}`);
        calls.delete(id);
      }
    } else if (call !== undefined && method === "BYE" && call.answered)
      call.bye ||= row["sip.from.tag"] === call.caller ? "caller" : "called";
    else if (call !== undefined && of === "BYE" && status >= 200 && call.bye !== "") {
      ends.push(`${call.frame} released ${call.bye} 200`);
      calls.delete(id);
    }
    const type = Number(row["isup.message_type"]);
    if (row["isup.cic"] === "" || Number.isNaN(type)) continue;
    const codes = [row["mtp3.opc"], row["mtp3.dpc"]];
    const circuit = `${codes.toSorted().join(" ")} ${row["isup.cic"]}`;
    const seized = circuits.get(circuit);
    if (type === 1) circuits.set(circuit, { frame, from: row["mtp3.opc"], answered: false });
    else if (seized !== undefined && (type === 9 || type === 7))
      seized.answered ||= seized.from !== row["mtp3.opc"];
    else if (seized !== undefined && type === 12) {
      const by = seized.from === row["mtp3.opc"] ? "caller" : "called";
      const how = seized.answered ? "released" : by === "caller" ? "cancelled" : "refused";
      ends.push(`${seized.frame} ${how} ${by} ${row["isup.cause_indicator"]}`);
      circuits.delete(circuit);
    } else if (type === 16 || type === 18) circuits.delete(circuit);
  }
  return ends.toSorted();
}

async function toldEnds(capture: string): Promise<readonly string[]> {
  const { stdout } = await replay([capture], { config, trunk: "national", ends: true });
  return parseLines(stdout)
    .filter(({ record }) => record === "ended")
    .map(({ id, how, by, status, cause }) => [id, how, by, status ?? cause].map(String).join(" "))
    .toSorted();
}

const skip = hasTshark() ? false : "tshark is not installed";

void t.test("tshark and a naive count agree on captures of the tests", { skip }, async (t) => {
  const file = join(folder, "own.pcap");
  const script = `0 lease>edge INVITE a
    0.01 edge>core INVITE a
    1 edge>lease 180 a
    2 edge>lease 200 a
    3 lease>edge INVITE b
    4 lease>edge CANCEL b
    4.1 edge>lease 487 b
    5 lease>edge INVITE c
    6 edge>lease 486 c
    9 edge>lease BYE a
    9.1 lease>edge 200 BYE a
    10 21>1 IAM 5
    11 1>21 ACM free 5
    12 1>21 ANM 5
    13 21>1 REL cause=16 5
    14 21>1 IAM 6
    15 1>21 REL cause=17 6`;
  writeFileSync(file, captureOf(packetsOf(script)));
  const told = await toldEnds(file);
  t.equal(told.length, 5);
  t.same(told, naiveEnds(rowsOf(file)));
});

void t.test(
  "tshark and a naive count agree on captures of others",
  { skip: skip !== false ? skip : existsSync(shelf) ? false : "no captures of others beside the project" },
  async (t) => {
    let sum = 0;
    for (const name of readdirSync(shelf).filter((file) => /\.pcap(?:ng)?$/u.test(file))) {
      const capture = join(shelf, name);
      const told = await toldEnds(capture);
      sum += told.length;
      // tshark does not decode the draft of M3UA.
      if (!name.includes("m3ua-draft")) t.same(told, naiveEnds(rowsOf(capture)), name);
    }
    t.ok(sum > 50, `${sum} ends were compared`);
  },
);
