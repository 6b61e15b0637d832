// Lists with custody in the running filter: notices in record, log and why, releases by reload, restarts.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { lineFilesIn } from "../../src/records/lines/read-lines.ts";
import { comesTrue } from "../support/until.ts";
import { openStage } from "./call-stage.ts";
import { type Filter, runCommand, startFilter } from "./filter-process.ts";

const head = "number,date,by,reason,order\n";
const police = "number,notice\n+861087654311,公刑通2026-114\n+861087654312,\n";

async function openCustody(test: Parameters<typeof openStage>[0]) {
  const stage = await openStage(test);
  const { place } = stage;
  const policy = readFileSync(join(place.folder, "policy.yaml"), "utf8").concat(
    "lists:\n  police: { file: police.csv, kind: police, releases: releases.csv }\n",
    "  closed: { file: closed.csv, kind: shutdown, order: GT-2026-7, due: 2026-01-31, authority: MIIT, noReturn: true }\n",
  );
  place.write("policy.yaml", policy);
  place.write("police.csv", police);
  place.write("closed.csv", "number\n+861087654313\n+861087654314\n");
  place.write("releases.csv", head);
  place.write("lists/own.csv", "number,trunk\n+861087654300..+861087654399,lease\n");
  writeFileSync(place.config, `${readFileSync(place.config, "utf8")}records: { folder: records }\n`);
  const start = async (): Promise<Filter> => {
    const filter = await startFilter(place.config);
    test.teardown(() => filter.signal("SIGKILL"));
    return filter;
  };
  const call = (callId: string, from: string, expected: string): Promise<string> => {
    const to = "02787654321";
    stage.caller.send(
      stage
        .request("INVITE", callId, [`To: <sip:${to}@127.0.0.1>`, "CSeq: 1 INVITE"], `sip:${to}@127.0.0.1`)
        .replace("sip:01087654321@", `sip:${from}@`),
    );
    return (expected === "INVITE" ? stage.core : stage.caller).heard(callId, expected);
  };
  const lines = (): readonly Readonly<Record<string, unknown>>[] =>
    lineFilesIn([join(place.folder, "records")])
      .flatMap(({ path }) => readFileSync(path, "utf8").trim().split("\n"))
      .filter((line) => line !== "")
      .map((line): Readonly<Record<string, unknown>> => JSON.parse(line));
  const listLines = () => lines().filter(({ record }) => record === "list");
  return { ...stage, policy, start, call, lines, listLines };
}

void t.test("notices in the record, the log and why", async (t) => {
  const { place, start, call, lines } = await openCustody(t);
  const filter = await start();
  for (const [callId, from, notice] of [
    ["with", "01087654311", "公刑通2026-114"],
    ["by-order", "01087654314", "GT-2026-7"],
  ] as const) {
    t.match(await call(callId, from, "SIP/2.0 603"), /^Reason: Q\.850;cause=21/mu);
    t.match(await filter.logged([`"callId":"${callId}"`]), `"notice":"${notice}"`);
  }
  await call("without", "01087654312", "SIP/2.0 603");
  const written = (callId: string) => lines().find((line) => line["callId"] === callId);
  t.ok(await comesTrue(() => written("without") !== undefined), "the line of the last call is on the disk");
  t.match(written("with"), { listLine: /police\.csv:2$/u, notice: "公刑通2026-114" });
  t.match(written("by-order"), { listLine: /closed\.csv:3$/u, notice: "GT-2026-7", reason: "police-listed" });
  t.notMatch(Object.keys(written("without") ?? {}), ["notice"]);
  // The list says something else by now.
  place.write("police.csv", police.replace("114", "115"));
  filter.signal("SIGHUP");
  await filter.logged(['"msg":"policy reloaded"']);
  const { stdout } = await runCommand(["why", "with", "--config", place.config]);
  t.match(stdout, /list line +\S*police\.csv:2: notice 公刑通2026-114\n/u);
  t.equal(await filter.stop(), 0);
});

void t.test("numbers leave by a release only, by reload and over a restart", async (t) => {
  const { place, policy, start, call, listLines } = await openCustody(t);
  const filter = await start();
  const reload = async (word: string): Promise<string> => {
    const from = filter.lineCount();
    filter.signal("SIGHUP");
    return filter.logged([word], from);
  };
  const gone = "number,notice\n+861087654312,\n";
  place.write("police.csv", gone);
  t.match(
    await reload("taken out of list"),
    /police\.csv:2:1 number: .*add a line for each to \S*releases\.csv/u,
  );
  await call("held", "01087654311", "SIP/2.0 603");
  const checked = await runCommand(["check", "--config", place.config]);
  t.equal(checked.code, 1);
  t.match(
    checked.stdout,
    /police\.csv:2:1 number: \+861087654311 is taken out of list "police"; put them back/u,
  );
  t.match(checked.stdout, /lists\.closed\.due: warning: order GT-2026-7 was due on 2026-01-31/u);
  t.match(checked.stdout, /^shutdown +closed +order GT-2026-7 +due 2026-01-31 +by MIIT +never released$/mu);

  place.write("releases.csv", `${head}+861087654311,2026-01-05,GAB,mistaken identity,GT-9\n`);
  await reload('"msg":"policy reloaded"');
  t.match(await call("free", "01087654311", "INVITE"), /^INVITE /u);
  place.write("closed.csv", "number\n+861087654314\n");
  t.match(await reload("taken out of list"), "noReturn");
  t.ok(await comesTrue(() => listLines().length >= 3), "every try and the release have a line");
  // The watch of files may have tried the same once more.
  const told = listLines().map(({ list, what, number, by, order, why }) =>
    JSON.stringify({ list, what, number, by, order, why }),
  );
  t.match(
    [...new Set(told)].map((line): unknown => JSON.parse(line)),
    [
      { list: "police", what: "refused release", number: "+861087654311", why: /no line in the releases/u },
      { list: "police", what: "released", number: "+861087654311", by: "GAB", order: "GT-9" },
      { list: "closed", what: "refused release", number: "+861087654313", why: /noReturn/u },
    ],
  );
  t.equal(await filter.stop(), 0);

  const refused = await runCommand(["run", "--config", place.config]);
  t.equal(refused.code, 1, "a start does not let the number go either");
  t.match(refused.stderr, /closed\.csv:2:1 number: \+861087654313 is taken out of list "closed"/u);
  const tries = listLines().length;
  await runCommand(["run", "--config", place.config]);
  t.match(
    listLines().slice(tries),
    [{ list: "closed", what: "refused release", number: "+861087654313", why: /noReturn/u }],
    "each start is a try, and has a line",
  );
  place.write("closed.csv", "number\n+861087654313\n+861087654314\n");
  place.write("police.csv", "number,notice\n+861087654316,\n");
  place.write("releases.csv", `${head}+861087654312,2026-01-05,GAB,moved,GT-10\n`);
  place.write("policy.yaml", `${policy}# another one\n`);
  const again = await start();
  t.ok(
    await comesTrue(() => listLines().some(({ number }) => number === "+861087654312")),
    "released by a restart",
  );
  t.equal(await again.stop(), 0);
});

void t.test("where the lists of before can't be known, that is said, and nothing is refused", async (t) => {
  const { place, start, call } = await openCustody(t);
  const first = await start();
  t.match(await first.logged(["is not known"]), "no policy is kept in");
  t.equal(await first.stop(), 0);
  place.write("police.csv", "number,notice\n+861087654312,\n");
  writeFileSync(
    place.config,
    readFileSync(place.config, "utf8").replace("records: { folder: records }\n", ""),
  );
  const second = await start();
  t.match(await second.logged(["is not known"]), "policies are kept with records or evidence only");
  t.match(await call("passes", "01087654311", "INVITE"), /^INVITE /u);
  t.equal(await second.stop(), 0);
});
