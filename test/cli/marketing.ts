// Marketing and scores in the running filter: refusals on the wire, explain, calls back over a restart, a reload.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { lineFilesIn } from "../../src/records/lines/read-lines.ts";
import { respond } from "../support/proxy.ts";
import { comesTrue } from "../support/until.ts";
import { openStage } from "./call-stage.ts";
import { type Filter, runCommand, startFilter } from "./filter-process.ts";

/** Opens a stage whose lessee does marketing, at rest all day. */
async function openMarketing(t: Parameters<typeof openStage>[0]) {
  const stage = await openStage(t);
  const { place } = stage;
  const policyFile = join(place.folder, "policy.yaml");
  const text = readFileSync(policyFile, "utf8")
    .replace("  - id: own\n", "  - id: own\n    marketing: true\n    industry: loans\n")
    .concat(
      'marketing: { workdays: ["00:00-24:00"], calendar: days.csv }\n',
      "lists:\n  dnc: { file: dnc.csv, kind: do-not-call }\n  scores: { file: scores.csv, kind: score, threshold: 0.75, bands: [{ from: 0.5, do: label }] }\n",
    );
  place.write("policy.yaml", text);
  place.write("lists/own.csv", "number\n+861087654300..+861087654399\n95177\n95188\n");
  place.write("days.csv", "date,kind\n2026-10-01,holiday\n2099-12-31,workday\n");
  place.write("dnc.csv", "number,industry\n+8613900003333,loans\n+8613900004444,flats\n");
  place.write("scores.csv", "number,score\n95188,0.75\n");
  writeFileSync(place.config, `${readFileSync(place.config, "utf8")}records: { folder: records }\n`);
  const start = async (): Promise<Filter> => {
    const filter = await startFilter(place.config);
    t.teardown(() => filter.signal("SIGKILL"));
    return filter;
  };
  const invite = (callId: string, from: string, to: string): string =>
    stage
      .request("INVITE", callId, [`To: <sip:${to}@127.0.0.1>`, "CSeq: 1 INVITE"], `sip:${to}@127.0.0.1`)
      .replace("sip:01087654321@", `sip:${from}@`);
  /** Places a call of the lessee; resolves with its INVITE at the core, or with the refusal. */
  const call = (callId: string, from: string, to: string, expected: string): Promise<string> => {
    stage.caller.send(invite(callId, from, to));
    return (expected === "INVITE" ? stage.core : stage.caller).heard(callId, expected);
  };
  /** A customer calls the lessee: the call comes from the core. */
  const callIn = async (callId: string, from: string, to: string): Promise<void> => {
    const uri = `sip:${to}@127.0.0.1:${stage.caller.port}`;
    stage.core.send(
      invite(callId, from, to)
        .replace(/^INVITE \S+/u, `INVITE ${uri}`)
        .replace(/127\.0\.0\.1:\d+;branch/u, `127.0.0.1:${stage.core.port};branch`),
    );
    stage.caller.send(respond(await stage.caller.heard(callId, "INVITE "), 486));
    await stage.core.heard(callId, "SIP/2.0 486");
  };
  return { ...stage, text, start, call, callIn };
}

void t.test("marketing on the wire: refusals, a call back, and what is kept of it", async (t) => {
  const { place, text, start, call, callIn } = await openMarketing(t);
  const first = await start();
  t.match(await call("hours", "95177", "02787654321", "SIP/2.0 403"), /^Reason: Q\.850;cause=21/mu);
  t.match(await call("number", "01087654321", "02787654321", "SIP/2.0 403"), /^SIP\/2\.0 403/u);
  t.match(await call("dnc", "95177", "13900003333", "SIP/2.0 603"), /^SIP\/2\.0 603/u);
  t.match(await call("score", "95188", "02787654321", "SIP/2.0 603"), /^SIP\/2\.0 603/u);
  await callIn("in", "13900003333", "95177");
  t.match(
    await call("back", "95177", "13900003333", "INVITE"),
    /^INVITE /u,
    "she called, and is called back",
  );

  const explained = await runCommand([
    "explain",
    "--config",
    place.config,
    "--trunk",
    "lease",
    "--from",
    "95177",
    "--to",
    "13900003333",
  ]);
  t.match(
    explained.stdout,
    /▶ do-not-call +enforce +reject do-not-call +called \+8613900003333 is on dnc \[\S*dnc\.csv:2\]/u,
  );
  t.match(explained.stdout, /marketing +enforce +\(reject marketing-hours\) .* rest hours 00:00-24:00/u);

  const isKept = (callId: string): boolean =>
    lineFilesIn([join(place.folder, "records")]).some(({ path }) =>
      readFileSync(path, "utf8").includes(`"callId":"${callId}"`),
    );
  t.ok(await comesTrue(() => isKept("back")), "the line of the last call is on the disk");
  const why = async (callId: string): Promise<string> =>
    (await runCommand(["why", callId, "--config", place.config])).stdout;
  t.match(
    await why("hours"),
    /then +policy [^\n]* reject marketing-hours by marketing, [^\n]*; the same as recorded/u,
  );
  t.match(await why("score"), /has score 0\.75 on list scores [^\n]*: reject from 0\.75/u);

  // Another policy: the first hours are over, and the score is below the bands.
  place.write("scores.csv", "number,score\n95188,0.7499\n");
  place.write("policy.yaml", text.replace('workdays: ["00:00-24:00"]', "workdays: []"));
  first.signal("SIGHUP");
  await first.logged(['"msg":"policy reloaded"']);
  t.match(
    await call("label", "95188", "02787654321", "INVITE"),
    /^P-Sigwall-Label: .*score-listed/mu,
    "below the threshold: labelled",
  );
  t.match(
    await call("free", "95177", "13900004444", "INVITE"),
    /^INVITE /u,
    "on the list of another industry",
  );
  place.write("policy.yaml", text.replace('["00:00-24:00"]', '["00:00-25:00"]'));
  first.signal("SIGHUP");
  t.match(await first.logged(["marketing.workdays[0]"]), "expected a time of day");
  t.match(await call("still", "95177", "02787654321", "INVITE"), /^INVITE /u, "the last good policy");

  t.ok(await comesTrue(() => isKept("still")), "the line of the last call is on the disk");
  const lines = lineFilesIn([join(place.folder, "records")])
    .flatMap(({ path }) => readFileSync(path, "utf8").trim().split("\n"))
    .filter((line) => line.includes('"record":"decided"'))
    .map((line): unknown => JSON.parse(line));
  t.match(
    lines.filter((line) => /"callId":"(?:hours|number|dnc|score|label)"/u.test(JSON.stringify(line))),
    [
      { verdict: "reject", reason: "marketing-hours", rule: "marketing", status: 403, cause: 21 },
      { verdict: "reject", reason: "marketing-number", rule: "marketing", status: 403 },
      {
        verdict: "reject",
        reason: "do-not-call",
        rule: "do-not-call",
        status: 603,
        listLine: /dnc\.csv:2$/u,
      },
      { verdict: "reject", reason: "score-listed", rule: "deny-lists", listLine: /scores\.csv:2$/u },
      { verdict: "label", reason: "score-listed", marks: [{ verdict: "label", reason: "score-listed" }] },
    ],
  );
  first.signal("SIGKILL");
  await first.ended;

  place.write("policy.yaml", text);
  const second = await start();
  t.match(
    await call("again", "95177", "13900003333", "INVITE"),
    /^INVITE /u,
    "after kill -9: out of the record lines",
  );
  t.equal(await second.stop(), 0);
  writeFileSync(
    place.config,
    readFileSync(place.config, "utf8").replace("folder: records", "folder: others"),
  );
  const third = await start();
  t.match(
    await call("kept", "95177", "13900003333", "INVITE"),
    /^INVITE /u,
    "after a stop: out of the snapshot",
  );
  t.equal(await third.stop(), 0);
});
