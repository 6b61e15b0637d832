// `sigwall quarantine` against a running filter: orders, findings, reloads, restarts, and what people read.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { request as ask } from "node:http";
import { join } from "node:path";
import t, { type Test } from "tap";
import { lineFilesIn } from "../../src/records/lines/read-lines.ts";
import type { QuarantineOutput } from "../../src/cli/quarantine/quarantine-flags.ts";
import { listQuarantine } from "../../src/cli/quarantine/quarantine-list.ts";
import { orderQuarantine } from "../../src/cli/quarantine/quarantine-order.ts";
import { comesTrue } from "../support/until.ts";
import { openStage, type Stage } from "./call-stage.ts";
import { type Filter, type Finished, runCommand, startFilter } from "./filter-process.ts";

const caller = "caller:+861087654321@lease";

interface Scene extends Stage {
  readonly start: () => Promise<Filter>;
  readonly quarantine: (...args: readonly string[]) => Promise<Finished>;
  /** The same without a process of its own. */
  readonly order: (body: Parameters<typeof orderQuarantine>[0]) => Promise<Finished>;
  readonly rows: () => Promise<readonly unknown[]>;
  /** Places a call. @returns `forwarded`, or the status of the refusal */
  readonly call: (callId: string, changes?: (invite: string) => string) => Promise<string>;
  readonly setDetectors: (text: string) => void;
  readonly records: () => string;
}

async function openScene(t: Test): Promise<Scene> {
  const stage = await openStage(t);
  const { place } = stage;
  writeFileSync(place.config, `${readFileSync(place.config, "utf8")}records: { folder: records }\n`);
  return {
    ...stage,
    async start() {
      const filter = await startFilter(place.config);
      t.teardown(() => filter.signal("SIGKILL"));
      return filter;
    },
    order: (body) => inProcess((output) => orderQuarantine(body, { config: place.config }, output)),
    async rows() {
      const flags = { config: place.config, json: true };
      return rowsOf(await inProcess((output) => listQuarantine(flags, output)));
    },
    quarantine: (...args) => runCommand(["quarantine", ...args, "--config", place.config]),
    async call(callId, changes = (text) => text) {
      const to = "To: <sip:02787654321@127.0.0.1>";
      stage.caller.send(changes(stage.request("INVITE", callId, [to, "CSeq: 1 INVITE"])));
      const isSettled = (): boolean =>
        stage.core.all(callId).length > 0 ||
        stage.caller.all(callId).some((text) => !text.startsWith("SIP/2.0 100"));
      if (!(await comesTrue(isSettled))) throw new Error(`nothing came of ${callId}`);
      if (stage.core.all(callId).length > 0) return "forwarded";
      return stage.caller.all(callId)[0]?.slice("SIP/2.0 ".length, "SIP/2.0 403".length) ?? "";
    },
    setDetectors: (text) => place.write("policy.yaml", `${place.policy()}detectors: ${text}\n`),
    records: () =>
      lineFilesIn([join(place.folder, "records")])
        .map(({ path }) => readFileSync(path, "utf8"))
        .join(""),
  };
}

async function inProcess(run: (output: QuarantineOutput) => Promise<number>): Promise<Finished> {
  let stdout = "";
  let stderr = "";
  const code = await run({
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    host: "test",
    environment: {},
  });
  return { code, stdout, stderr };
}

/** The rows of `list --json`. */
function rowsOf({ stdout }: Finished): readonly unknown[] {
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line): unknown => JSON.parse(line));
}

async function kill(filter: Filter): Promise<void> {
  filter.signal("SIGKILL");
  await filter.ended;
}

void t.test(
  "an order binds a caller at once, over reload, kill -9 and restart, until it is released",
  async (t) => {
    const { start, quarantine, call, place, records } = await openScene(t);
    t.match(await quarantine("list"), {
      code: 3,
      stdout: "",
      stderr: /^no filter runs: nobody serves .*admin\.sock\n$/,
    });
    t.match(await quarantine("add", caller, "--for", "24h", "--reason", "x"), {
      code: 1,
      stderr: /^sigwall quarantine: no filter runs: .*; nothing was changed\n$/,
    });

    const first = await start();
    t.same(await quarantine("list"), { code: 0, stdout: "nothing is in quarantine\n", stderr: "" });
    t.equal(await call("a"), "forwarded");
    const added = await quarantine("add", caller, "--for", "24h", "--reason", "complaint 4711");
    t.equal(added.code, 0, added.stderr);
    t.match(
      added.stdout,
      /^ID +DETECTOR .*\no\w+-1 +command +- +caller:\+861087654321@lease .* in force +refuse +0 +complaint 4711\n$/,
    );
    t.equal(await call("b"), "403");
    t.equal(
      await call("other", (text) => text.replace("01087654321", "01087654322")),
      "forwarded",
      "another number",
    );
    t.equal(
      await call("police", (text) => text.replaceAll("02787654321", "110")),
      "forwarded",
      "a call to 110",
    );
    const line = await first.logged(['"msg":"quarantine order"']);
    t.match(line, '"order":"add"');
    t.match(line, '"number":"+8610xxxxxxxx"');
    t.notMatch(line, "4711", "reasons may hold numbers of people");
    t.match(rowsOf(await quarantine("list", "--json")), [
      {
        detector: "command",
        subject: caller,
        kind: "caller",
        number: "+861087654321",
        trunk: "lease",
        state: "in force",
        does: "refuse",
        refused: 1,
        reason: "complaint 4711",
      },
    ]);

    place.write("policy.yaml", place.policy({ rules: "{ hidden-caller: { mode: monitor } }" }));
    first.signal("SIGHUP");
    await first.logged(['"msg":"policy reloaded"']);
    t.equal(await call("c"), "403", "after a reload");
    await kill(first);

    const second = await start();
    t.equal(await call("d"), "403", "after kill -9");
    const status = await runCommand(["status", "--config", place.config]);
    t.match(status.stdout, /^quarantine command: 1 bound$/m);
    t.equal(await second.stop(), 0);
    const explained = await runCommand([
      "explain",
      "--trunk",
      "lease",
      "--from",
      "01087654321",
      "--to",
      "02787654321",
      "--config",
      place.config,
    ]);
    t.match(
      explained.stdout,
      /▶ quarantine +enforce +reject quarantined +caller:\+861087654321@lease is in quarantine by order o\w+-1 until/,
    );
    t.match(
      explained.stdout,
      /to turn it around: release it: sigwall quarantine release o\w+-1 --reason TEXT/,
    );

    const third = await start();
    t.equal(await call("e"), "403", "after a restart");
    t.match(await quarantine("release", caller, "--reason", "settled"), {
      code: 0,
      stdout: /released +- +1 +settled\n$/,
    });
    t.equal(await call("f"), "forwarded");
    t.match(await quarantine("release", caller, "--reason", "once more"), {
      code: 1,
      stderr: /is released already/,
    });
    t.ok(await comesTrue(() => records().includes('"order":"release"')), "the release is a record line");
    t.match(
      records(),
      /"record":"finding".*"detector":"command".*"order":"add","reason":"complaint 4711","by":"command"/,
    );
    await kill(third);
    const fourth = await start();
    t.equal(await call("g"), "forwarded", "a release outlives a kill, too");
    const why = await runCommand(["why", "b", "--config", place.config]);
    t.match(why.stdout, /decided +reject quarantined by quarantine; answered 403/);
    t.match(
      why.stdout,
      /finding +o\w+-1 by command at .* about caller \+861087654321 lease, until .*, reason complaint 4711/,
    );
    await kill(fourth);
  },
);

void t.test("orders that are wrong, or can't be obeyed, change nothing", async (t) => {
  const { start, order, rows, quarantine } = await openScene(t);
  const filter = await start();
  const day = { order: "add", for: "24h", reason: "x" };
  const release = { order: "release", reason: "x" };
  const called = "called:+8613800138000";
  const table: readonly (readonly [Parameters<typeof order>[0], code: number, says: RegExp])[] = [
    [
      { ...day, subject: "caller:+861087654321" },
      2,
      /a caller is bound on one trunk only; expected caller:NUMBER@TRUNK/,
    ],
    [{ ...day, subject: "callerBlock:95588@lease" }, 2, /is a code: it is no part of a block/],
    [{ ...day, subject: "caller:12@lease" }, 2, /is no subject/],
    [{ ...day, subject: "bank" }, 2, /expected caller:NUMBER@TRUNK, callerBlock:/],
    [{ ...day, subject: caller, for: "0h" }, 2, /expected a time like 30m, 24h or 7d/],
    [{ ...day, subject: caller, for: "400d" }, 2, /at most 366d/],
    [{ ...day, subject: caller, reason: " " }, 2, /reason: required/],
    [{ ...day, subject: "trunk:leese" }, 1, /unknown trunk "leese"; did you mean "lease"/],
    [{ ...day, subject: "trunk:core" }, 1, /calls from the core are not screened/],
    [{ ...day, subject: called }, 1, /no finding names callers that bomb/],
    [{ ...release, id: "f1-77" }, 1, /nothing is in quarantine as f1-77/],
    [{ ...release, id: "nonsense" }, 2, /expected an id of the list/],
    [{ ...release, subject: caller }, 1, /nothing is in quarantine as caller:/],
  ];
  for (const [body, code, says] of table) {
    const finished = await order(body);
    t.equal(finished.code, code, JSON.stringify(body));
    t.match(finished.stderr, says, JSON.stringify(body));
  }
  t.match(await quarantine("add", caller, "--for", "24h"), {
    code: 2,
    stderr: /required option '--reason <text>'/,
  });
  t.same(await rows(), []);
  await kill(filter);
});

const strict =
  "{ short-calls: { mode: enforce, score: 2, dropped: 1, parties: 1, quarantine: { subject: caller, for: 1h } } }";

void t.test("a finding binds the caller, and is listed, recorded, counted, released, kept", async (t) => {
  const {
    start,
    order,
    rows: list,
    call,
    placeCall,
    hangUp,
    setDetectors,
    records,
    place,
  } = await openScene(t);
  setDetectors(strict);
  const first = await start();
  await placeCall("one", true);
  await hangUp("one");
  await first.logged(['"msg":"finding"', '"mode":"enforce"', '"binds":"caller"']);
  t.equal(await call("two"), "403", "its next call");
  const rows = await list();
  t.match(rows, [
    { detector: "short-calls", profile: "1", subject: caller, calls: 1, state: "in force", refused: 1 },
  ]);
  t.ok(await comesTrue(() => records().includes('"record":"finding"')));
  t.match(
    records(),
    /"id":"f\w+-1","detector":"short-calls","profile":"1","mode":"enforce".*"binds":\{"subject":\{"kind":"caller"/,
  );
  const decided = /"reason":"quarantined","rule":"quarantine".*"finding":"f\w+-1"/;
  t.ok(await comesTrue(() => decided.test(records())), "the call's line names the finding");
  const metrics = await (await fetch(`${first.admin}/metrics`)).text();
  t.match(metrics, 'sigwall_quarantined{detector="short-calls"} 1');
  t.match(metrics, 'sigwall_findings_total{detector="short-calls",mode="enforce"} 1');
  t.match(metrics, 'sigwall_findings_in_force{detector="short-calls"} 1');
  t.match(metrics, "sigwall_quarantine_ok 1");
  await kill(first);

  const second = await start();
  t.equal(await call("three"), "403", "after kill -9");
  setDetectors(strict.replace("enforce", "monitor"));
  second.signal("SIGHUP");
  await second.logged(['"msg":"policy reloaded"']);
  t.equal(await call("four"), "forwarded", "in mode monitor nothing follows");
  t.match(await list(), [{ detector: "short-calls", state: "monitor only" }]);
  const lines = second.lineCount();
  setDetectors(strict);
  second.signal("SIGHUP");
  await second.logged(['"msg":"policy reloaded"'], lines);
  t.equal(await call("five"), "403", "enforced again");
  const id = /"id":"(f\w+-1)"/.exec(records())?.[1] ?? "";
  t.equal((await order({ order: "release", id, reason: "a test" })).code, 0);
  t.equal(await call("six"), "forwarded");
  t.ok(existsSync(join(place.folder, "state/quarantine.journal")));
  t.equal(await second.stop(), 0);
});

/** Changes the calling number of an INVITE. */
function from(number: string): (invite: string) => string {
  return (invite) => invite.replace("sip:01087654321", `sip:${number}`);
}

void t.test("a bombed party: who bombs her is refused to her alone, until she calls 110", async (t) => {
  const { start, rows, call, placeCall, hangUp, setDetectors } = await openScene(t);
  setDetectors("{ call-bombing: { mode: enforce, score: 4, quarantine: { subject: called, for: 1h } } }");
  const first = await start();
  for (const callId of ["one", "two", "three"]) {
    await placeCall(callId, true);
    await hangUp(callId);
  }
  await first.logged(['"msg":"finding"', '"detector":"call-bombing"', '"binds":"called"']);
  t.equal(await call("four"), "403", "the fourth call of one hand");
  t.equal(await call("stranger", from("01087654322")), "forwarded", "a stranger");
  t.equal(
    await call("else", (text) => text.replaceAll("02787654321", "02787654320")),
    "forwarded",
    "another party",
  );
  t.match(await rows(), [
    {
      detector: "call-bombing",
      subject: "called:+862787654321",
      participants: 1,
      does: "refuse",
      refused: 1,
    },
  ]);
  await kill(first);
  const second = await start();
  t.equal(await call("five"), "403", "the callers that joined outlive a kill, too");
  const help = (text: string): string => from("02787654321")(text.replaceAll("02787654321", "110"));
  t.equal(await call("help", help), "forwarded", "she calls 110");
  t.equal(await call("six"), "forwarded", "now everybody reaches her");
  await kill(second);
});

/** Asks the Unix socket. */
function askSocket(
  socketPath: string,
  method: string,
  body?: string,
  type = "application/json",
): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-type": type };
    const request = ask({ socketPath, path: "/api/quarantine", method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.once("end", () => resolve(`${response.statusCode ?? 0} ${text.trim()}`));
    });
    request.once("error", reject);
    request.end(body);
  });
}

void t.test("/api/quarantine on the Unix socket alone", async (t) => {
  const { start, place } = await openScene(t);
  const filter = await start();
  const socket = join(place.folder, "state/admin.sock");
  t.equal(await askSocket(socket, "GET"), '200 {"rows":[]}');
  const order = { order: "add", subject: "trunk:lease", for: "30m", reason: "a test" };
  t.match(
    await askSocket(socket, "POST", JSON.stringify(order)),
    /^200 \{"taken":\[\{"id":"o\w+-1".*"subject":"trunk:lease"/,
  );
  for (const [body, says] of [
    ["{", '400 {"error":"the body is no JSON"}'],
    ["[]", '400 {"error":"expected a JSON object"}'],
    [
      JSON.stringify({ ...order, who: 1 }),
      '400 {"error":"unknown key \\"who\\"; known are order, subject, for, reason"}',
    ],
    [JSON.stringify({ ...order, order: "drop" }), '400 {"error":"order: expected add | release"}'],
    [`{"order":"add","reason":"${"x".repeat(5000)}"}`, '413 {"error":"the body is too large"}'],
  ] as const)
    t.equal(await askSocket(socket, "POST", body), says);
  t.match(await askSocket(socket, "POST", "{}", "text/plain"), /^415 /);
  t.match(await askSocket(socket, "DELETE"), /^405 /);
  t.equal((await fetch(`${filter.admin}/api/quarantine`)).status, 404, "not on the network");
  await kill(filter);
});
