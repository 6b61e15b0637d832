import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { formatNumber } from "../../src/domain/number.ts";
import { describeAttempt } from "../../src/records/lines/attempt-line.ts";
import { readRecordedAttempt } from "../../src/replay/recorded-attempts.ts";
import { makeAttempt, makeTrunk } from "../support/attempt.ts";
import { decided, ended, parseLines, seal, search } from "../support/records-folder.ts";
import { at, openPlace } from "./why-place.ts";

for (const isSealed of [false, true])
  void t.test(`why: a refused call, ${isSealed ? "sealed" : "open"}`, async (t) => {
    const { records, write, revision, why } = openPlace(t);
    write("2026-10-03/08-gw-a.ndjson", [decided({ revision })]);
    if (isSealed) await seal(records);
    const { code, out, err } = await why({ callId: "call-1@203.0.113.10" });
    t.equal(code, 0, err);
    t.equal(
      out.split("\n  then", 1)[0],
      `call gw-a-t3k9x1-1, Call-ID call-1@203.0.113.10
  time          2026-10-03T16:15:00.000+08:00
  trunk         lease of bank, from 203.0.113.10:5060 over udp
  calling       +861087654400 (p-asserted-identity), +861087654400 (from)
  called        +862787654321
  decided       reject cli-not-listed by caller-authentication; answered 403
  revision      ${revision}
  end           the call ended here: answered 403`,
    );
    t.match(
      out,
      new RegExp(
        `then +policy ${revision}: reject cli-not-listed by caller-authentication.*; the same as recorded`,
      ),
    );
    t.match(out, /today +policy [0-9a-f]{12}: accept listed.*contract HT-8.*; not what was recorded/);
    t.match(out, /not recorded +how many calls there were/);
  });

for (const isSealed of [false, true])
  void t.test(
    `why, search: the mark of a line that is observed, ${isSealed ? "sealed" : "open"}`,
    async (t) => {
      const { records, write, revision, why } = openPlace(t);
      const marks = [{ verdict: "observe", reason: "line-observed" }];
      write("2026-10-03/08-gw-a.ndjson", [decided({ revision, marks })]);
      if (isSealed) await seal(records);
      t.match((await why({ callId: "call-1@203.0.113.10" })).out, /\n {2}marked +observe line-observed\n/);
      t.match((await search([records])).out, /marked: observe line-observed/);
    },
  );

void t.test("why: every call of a Call-ID, what became of it, and the list line that decided", async (t) => {
  const { write, revision, why } = openPlace(t);
  const calling = [
    { source: "from", raw: "+861066660000", number: "+861066660000", presentation: "allowed" },
  ];
  write("2026-10-03/08-gw-a.ndjson", [
    decided({
      id: "one",
      time: at(1),
      revision,
      calling,
      reason: "police-listed",
      rule: "deny-lists",
      status: 603,
      listLine: "police.csv:2",
    }),
    decided({
      id: "two",
      time: at(2),
      revision,
      verdict: "accept",
      reason: "listed",
      rule: "default",
      action: "forwarded",
      nextHop: "udp:198.51.100.1:5060",
      status: undefined,
    }),
    ended({ id: "two" }),
    decided({ id: "three", time: at(3), revision, callId: "another" }),
  ]);
  // The end that another node wrote, and the `lost` of the one that began the call.
  write("2026-10-03/08-gw-b.ndjson", [
    ended({ id: "two", how: "lost", by: "filter", node: "gw-b", time: at(20) }),
  ]);
  const { code, out } = await why({ callId: "call-1@203.0.113.10" });
  t.equal(code, 0);
  t.same(
    [...out.matchAll(/^call (\w+)/gm)].map(([, id]) => id),
    ["one", "two"],
    "the earliest first",
  );
  t.match(out, /list line +police\.csv:2: notice 公刑通2026-114\n/);
  t.match(
    out,
    /then +policy \w+: reject police-listed by deny-lists.*\(notice 公刑通2026-114\); the same as recorded/,
  );
  t.match(out, /today +policy \w+: reject cli-not-listed/);
  t.match(
    out,
    /end +ended by the called party, ringing after 1\.2 s, answered after 3\.4 s, 61\.2 s long, cause 16\n/,
  );
  const json = await why({ callId: "call-1@203.0.113.10", json: true });
  const [one, two] = parseLines(json.out);
  t.match(one, {
    id: "one",
    end: "the call ended here: answered 603",
    row: { notice: "公刑通2026-114" },
    former: { reason: "police-listed", revision },
    today: { reason: "cli-not-listed" },
  });
  t.match(two, { id: "two", ended: { how: "released", seconds: 61.2 } });
});

void t.test("why: a caller about a time", async (t) => {
  const { write, revision, why } = openPlace(t);
  write("2026-10-03/08-gw-a.ndjson", [
    decided({ id: "before", time: at(9), revision }),
    decided({ id: "near", time: at(10), revision }),
    decided({ id: "last", time: "2026-10-03T08:20:59.999Z", revision }),
    decided({ id: "after", time: at(21), revision }),
    decided({ id: "other", time: at(15), revision, calling: [] }),
  ]);
  const { code, out } = await why({ caller: "010-8765 4400", at: "16:15" });
  t.equal(code, 0);
  t.same(
    [...out.matchAll(/^call (\w+)/gm)].map(([, id]) => id),
    ["near", "last"],
  );
});

void t.test("why: the id of a record, as reports and tables name it", async (t) => {
  const { write, revision, why } = openPlace(t);
  write("2026-10-03/08-gw-a.ndjson", [
    decided({ id: "gw-a-t3k9x1-1", time: at(9), revision }),
    decided({ id: "gw-a-t3k9x1-2", time: at(10), revision, callId: "gw-a-t3k9x1-1" }),
  ]);
  const told = async (callId: string) =>
    [...(await why({ callId })).out.matchAll(/^call ([\w-]+)/gm)].map(([, id]) => id);
  t.same(await told("gw-a-t3k9x1-2"), ["gw-a-t3k9x1-2"]);
  t.same(await told("gw-a-t3k9x1-1"), ["gw-a-t3k9x1-2"], "a Call-ID that looks like an id is a Call-ID");
  t.match(await why({ callId: "gw-a-t3k9x1-3" }), { code: 1, err: /no such call/ });
  t.match(await why({ caller: "abc", at: "16:15" }), { code: 1, err: /--caller "abc" is no number/ });
});

void t.test("why: nothing found, and wrong usage", async (t) => {
  const { write, why } = openPlace(t);
  write("2026-10-03/08-gw-a.ndjson", [decided()]);
  t.match(await why({ callId: "nobody" }), {
    code: 1,
    out: "",
    err: "sigwall why: no such call was found\n",
  });
  t.match(await why({}), { code: 2, err: /which call\? give a Call-ID, or --caller N and --at T/ });
  t.match(await why({ caller: "95588" }), { code: 2 });
  t.match(await why({ caller: "95588", at: "soon" }), { code: 2, err: /--at "soon" is no time/ });
  const unknown = await why({ callId: "call-1@203.0.113.10" });
  t.match(unknown.out, /then +the policy of revision 9f2c41aa03b7 is not kept in/);
  t.equal(unknown.code, 0);
});

void t.test(
  "why: calls that no rule was asked about, on trunks that are gone, with text of peers",
  async (t) => {
    const { write, revision, why } = openPlace(t);
    write("2026-10-03/08-gw-a.ndjson", [
      decided({ id: "shed", revision, reason: "overload", rule: "protocol", status: 503 }),
      decided({ id: "gone", revision, trunk: "gone\u001b[2J" }),
      decided({
        id: "odd",
        revision,
        calling: "nobody",
        called: 7,
        diversion: [null],
        isup: [],
        shadow: {},
        privacy: 1,
        requestUri: {},
      }),
    ]);
    const { code, out } = await why({ callId: "call-1@203.0.113.10" });
    t.equal(code, 0);
    t.match(out, /then +the rules were not asked: overload, the filter protects itself or drains/);
    t.match(out, /then +policy \w+ has no trunk "gone\\x1b\[2J"/);
    t.notMatch(out, /(?!\n)[\p{Cc}\p{Cf}]/u);
    t.match(out, /calling +nobody/);
  },
);

void t.test("why: the circuit of an IAM", async (t) => {
  const { write, why } = openPlace(t);
  const isup = { opc: 1001, dpc: 2001, cic: 14 };
  write("2026-10-03/08-gw-a.ndjson", [
    decided({ id: "iam", time: at(10), signalling: "isup", transport: "sctp", isup }),
  ]);
  const { out } = await why({ callId: "call-1@203.0.113.10" });
  t.match(out, / over sctp.* on circuit 1001-2001-14\n/);
});

void t.test("explain --at: the policy that was in force then", async (t) => {
  const { records, write, revision, explain } = openPlace(t);
  const listed = await explain("2026-10-03T16:10", "+861066660000");
  t.equal(listed.code, 0, listed.err);
  t.match(
    listed.out,
    /^at 2026-10-03T16:10:00\.000\+08:00, policy in force since 2026-10-03T15:59:59\.000\+08:00\n/,
  );
  t.match(listed.out, `policy revision ${revision}`);
  t.match(listed.out, /notice 公刑通2026-114/);
  t.match(listed.out, /verdict: reject police-listed/);
  t.match(await explain("2026-10-03T15:59", "+861066660000"), {
    code: 1,
    err: /no policy is known that was in force at 2026-10-03T15:59:00\.000\+08:00/,
  });
  t.match(await explain("soon", "+861066660000"), { code: 2 });
  // Records say better when a policy came into force.
  mkdirSync(join(records, "2026-10-03"), { recursive: true });
  write("2026-10-03/08-gw-a.ndjson", [
    { record: "policy", node: "gw-a", time: at(5), revision, cause: "start" },
    { record: "policy", node: "gw-a", time: at(12), revision: "0123456789ab", cause: "SIGHUP" },
  ]);
  t.match((await explain("2026-10-03T16:10", "95588")).out, /since 2026-10-03T16:05:00\.000\+08:00/);
  t.match(await explain("2026-10-03T16:13", "95588"), {
    code: 1,
    err: /the policy of revision 0123456789ab is not kept in/,
  });
  await seal(records);
  t.match((await explain("2026-10-03T16:10", "95588", true)).out, /"verdict":"reject"/);
  rmSync(join(records, "2026-10-03"), { recursive: true });
});

void t.test("recorded attempts: a line gives the attempt that it was made of", (t) => {
  const trunk = makeTrunk();
  const cases = [
    { calling: ["pai +861087654321", "from 01087654321"] },
    { calling: ["from 87654321"] },
    { calling: ["from anonymous"] },
    { calling: ["from pbx01"] },
    { calling: ["from 95588"], called: "110" },
    { calling: ["rpid +861087654321!"], diversion: ["div +861088881234"] },
    { calling: ['from "京华" +861087654321'], callId: "caf\u00c3\u00a9" },
  ];
  for (const spec of cases) {
    const attempt = makeAttempt(trunk, spec);
    const sighting = { frame: 1, seconds: 0, nanos: 0, retransmissionOf: undefined, fault: undefined };
    const [line] = parseLines(JSON.stringify(describeAttempt(sighting, attempt)));
    const { attempt: again, missing } = readRecordedAttempt({ ...line, time: at(0) }, trunk, attempt.at);
    const bare = attempt.calling.map(({ display: _display, ...rest }) => rest);
    t.same(again.calling, bare, JSON.stringify(spec));
    t.same(again.diversion, attempt.diversion);
    t.same(again.called, attempt.called);
    t.same(
      [again.callId, again.requestUri, again.origin],
      [attempt.callId, attempt.requestUri, attempt.origin],
    );
    t.ok(missing.length > 0);
  }
  t.end();
});

void t.test("recorded attempts: the number of the record holds, displays and privacy are read", (t) => {
  const trunk = makeTrunk();
  const line = {
    time: at(0),
    calling: [{ source: "from", raw: "87654321", number: "+862187654321", presentation: "allowed" }],
    displays: ['"Bank"'],
    privacy: ["id", "odd"],
    requestUri: "urn:service:sos.police",
  };
  const { attempt } = readRecordedAttempt(line, trunk, 0);
  const [caller] = attempt.calling;
  t.equal(caller && formatNumber(caller.number), "+862187654321", "the area was another one");
  t.equal(caller?.display, '"Bank"');
  t.equal(attempt.privacy, 1);
  t.equal(attempt.emergencyUrn, true);
  const isup = readRecordedAttempt(
    {
      time: at(0),
      signalling: "isup",
      transport: "mtp",
      isup: { opc: 1, dpc: 2, cic: 14, natureOfAddress: 3, screening: 1 },
      calling: [
        { source: "isup-calling-party", raw: "1087654321", number: "+861087654321", presentation: "allowed" },
      ],
      called: { raw: "2787654321", number: "+862787654321" },
      names: [
        { source: "isup-generic-name", raw: "BANK 95588", presentation: "restricted" },
        { source: "isup-display-information", raw: "银" },
        { source: "from", raw: "95588" },
        { source: "isup-generic-name", raw: 7 },
        "95588",
      ],
    },
    trunk,
    0,
  ).attempt;
  t.same(isup.names, [
    { source: "isup-generic-name", display: "BANK 95588", presentation: "restricted" },
    { source: "isup-display-information", display: "\xe9\x93\xb6", presentation: "allowed" },
  ]);
  t.match(isup, { isIam: true, circuit: { cic: 14 }, origin: { signalling: "isup", sourceAddress: "" } });
  t.match(isup.calling[0], { screening: 1, number: { e164: "861087654321", raw: "1087654321" } });
  t.match(isup.called, { e164: "862787654321" });
  t.end();
});
