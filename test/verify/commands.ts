import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import t from "tap";
import { encodeIsup } from "../../pcaps/isup-text.ts";
import { openCapture } from "../../src/cli/captures/capture-bytes.ts";
import { writePcap } from "../../src/pcap/writer.ts";
import { shipped } from "../support/shipped.ts";
import { inspect, parseLines, replay } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "sigwall-"));
t.teardown(() => rmSync(folder, { recursive: true }));

function capture(name: string): string {
  return join("pcaps", name);
}

/** A file in a folder that goes away with the test. */
function place(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

void t.test("inspect --json writes the lines of the contract and nothing else", async (t) => {
  const { code, stdout, stderr } = await inspect([capture("repeats.pcap")], true);
  t.equal(code, 0);
  const [first, second, ...rest] = parseLines(stdout);
  t.strictSame(first, {
    frame: 1,
    time: "2026-10-03T08:15:02.000000Z",
    signalling: "sip",
    transport: "udp",
    source: "192.0.2.11:5060",
    destination: "198.51.100.1:5060",
    callId: "repeats-1",
    requestUri: "sip:02787654321@198.51.100.1",
    calling: [{ source: "from", raw: "+861087654321", number: "+861087654321", presentation: "allowed" }],
    called: { raw: "02787654321", number: "+862787654321" },
    diversion: [],
  });
  t.strictSame(second, { ...first, frame: 2, time: "2026-10-03T08:15:02.501001Z", retransmissionOf: 1 });
  t.equal(rest.length, 3, "a repeat, a forgery, a relayed copy; no dialog, no quoted message");
  t.equal(
    stderr,
    "9 packets, 8 SIP messages, 1 INVITE inside a dialog: 3 call attempts, 2 repeats, 0 malformed\n",
  );
});

void t.test("people read aligned columns, in colour only on a terminal", async (t) => {
  const files = [capture("cli-conflict.pcap")];
  const { stdout, stderr } = await replay(files, { json: false });
  t.equal(stderr, "");
  const [head = "", ...rows] = stdout.split("\n");
  t.match(head, /^FRAME  TIME +TRUNK +CALLING +CALLED +VERDICT +REASON +RULE/);
  for (const row of rows.slice(0, 4)) {
    t.match(row.slice(head.indexOf("VERDICT")), /^(accept|reject)  /, row);
    t.match(row.slice(head.indexOf("TRUNK")), /^(lease|loose)  /, row);
  }
  const environment = process.env["NO_COLOR"];
  t.teardown(() => {
    if (environment === undefined) delete process.env["NO_COLOR"];
    else process.env["NO_COLOR"] = environment;
  });
  delete process.env["NO_COLOR"];
  t.notOk(stdout.includes("\u001B"), "none in a pipe");
  t.ok((await replay(files, { json: false }, true)).stdout.includes("\u001B[31mreject"), "red on a terminal");
  process.env["NO_COLOR"] = "1";
  t.notOk((await replay(files, { json: false }, true)).stdout.includes("\u001B"), "none under NO_COLOR");
});

void t.test("what a peer wrote reaches no terminal as control codes", async (t) => {
  const bytes = Buffer.from(readFileSync(capture("caller-form.pcap")));
  const at = bytes.indexOf("alice");
  t.ok(at > 0);
  bytes.write("\u001B[2Jx", at, "latin1");
  const { stdout } = await inspect([place("escape.pcap", bytes)], false);
  t.ok(stdout.includes('"?[2Jx"'), "a mark stands for the code");
  t.notOk(stdout.includes("\u001B"));
});

void t.test("exit codes of inspect", async (t) => {
  const whole = readFileSync(capture("cli-conflict.pcap"));
  const cut = place("cut.pcap", whole.subarray(0, whole.length - 10));
  const text = place("text.pcap", "INVITE sip:a@b SIP/2.0\r\n");
  const missing = join(folder, "missing.pcap");
  const rows: readonly (readonly [files: string[], code: number, lines: number, message: string])[] = [
    [[capture("cli-conflict.pcap")], 0, 4, ""],
    [[cut], 0, 3, `sigwall inspect: ${cut}: truncated at byte `],
    [[cut], 0, 3, ", behind packet 3: the file ends inside a record"],
    [[text], 1, 0, `sigwall inspect: ${text}: not a capture: neither a pcap nor a pcapng file`],
    [[missing], 1, 0, `sigwall inspect: ${missing}: no such file`],
    [[folder], 1, 0, `sigwall inspect: ${folder}: it is a folder`],
    [[missing, cut], 1, 3, `sigwall inspect: ${missing}: no such file`],
    [[place("empty.pcap", "")], 1, 0, "the file is empty"],
  ];
  for (const [files, code, lines, message] of rows) {
    const result = await inspect(files, true);
    t.equal(result.code, code, files.join());
    t.equal(parseLines(result.stdout).length, lines, files.join());
    t.ok(result.stderr.includes(message), `${message}: ${result.stderr}`);
  }
});

void t.test("a gzip file is unpacked on the way; a damaged or huge one gives what came before", async (t) => {
  const whole = readFileSync(capture("isup-callers.pcap"));
  const plain = await inspect([capture("isup-callers.pcap")], true);
  const packed = await inspect([place("whole.pcap.gz", gzipSync(whole))], true);
  t.same(packed, plain);
  const twice = await inspect([place("twice.gz", gzipSync(gzipSync(whole)))], true);
  t.equal(twice.code, 1);
  t.match(twice.stderr, "a gzip file: unpack it first");
  const stored = gzipSync(whole, { level: 0 });
  const cut = await inspect([place("cut.pcap.gz", stored.subarray(0, stored.length - 100))], true);
  t.equal(cut.code, 0);
  t.match(cut.stderr, "damaged gzip: unexpected end of file");
  t.ok(parseLines(cut.stdout).length >= 15);
  const chunks: number[] = [];
  const bytes = await openCapture(place("huge.gz", gzipSync(Buffer.alloc(8 << 20))), 3 << 20);
  await t.rejects(async () => {
    for await (const chunk of bytes.chunks) chunks.push(chunk.length);
  }, /unpacks to more than 3145728 bytes/);
  await bytes.close();
  t.ok(chunks.reduce((sum, length) => sum + length, 0) <= 3 << 20);
});

/** A stream that gives bytes in pieces. */
const pieces = (bytes: Buffer, size: number): Readable =>
  Readable.from(
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.subarray(i * size, (i + 1) * size),
    ),
  );

void t.test("standard input is a capture like others: in pieces of any size, packed or not", async (t) => {
  const path = capture("isup-callers.pcap");
  const whole = readFileSync(path);
  const plain = await inspect([path], true);
  for (const size of [1, 7, 1 << 16])
    for (const bytes of [whole, gzipSync(whole)])
      t.same(
        await inspect(["-"], true, false, pieces(bytes, size)),
        plain,
        `${bytes.length} bytes by ${size}`,
      );
  const judged = await replay([path], { trunk: "lease" });
  t.same(await replay(["-"], { trunk: "lease", input: pieces(whole, 100) }), judged);
  const both = await replay(["-", path], { trunk: "lease", jobs: 2, input: pieces(whole, 100) });
  t.equal(parseLines(both.stdout).length, 2 * parseLines(judged.stdout).length);
  t.match(parseLines(both.stdout)[0], { capture: "-" });
  const rows: readonly (readonly [files: readonly string[], bytes: Buffer, code: number, message: string])[] =
    [
      [["-"], Buffer.alloc(0), 1, "sigwall inspect: -: not a capture: the file is empty"],
      [["-"], whole.subarray(0, whole.length - 1), 0, "sigwall inspect: -: truncated at byte"],
      [
        ["-"],
        gzipSync(whole).subarray(0, 100),
        1,
        "sigwall inspect: -: damaged gzip: unexpected end of file",
      ],
      [["-", path, "-"], whole, 2, "sigwall inspect: - stands for standard input, which can be read once"],
    ];
  for (const [files, bytes, code, message] of rows) {
    const result = await inspect(files, true, false, pieces(bytes, 50));
    t.equal(result.code, code, message);
    t.match(result.stderr, message);
  }
  t.equal((await replay(["-", "-"])).code, 2);
});

void t.test("a call without addresses is listed and judged", async (t) => {
  const invite =
    "INVITE sip:02787654321@b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKa\r\nFrom: <sip:01087654321@a>;tag=1\r\nTo: <sip:b@b>\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n";
  const bytes = Buffer.concat([Buffer.from("000c000373697000000000", "hex"), Buffer.from(invite)]);
  const path = place(
    "exported.pcap",
    writePcap([{ seconds: 1_791_015_302, nanos: 0, bytes }], { linkType: 252 }),
  );
  t.match((await inspect([path], false)).stdout, /Z +- +- +\+861087654321 +\+862787654321/);
  const [line] = parseLines((await inspect([path], true)).stdout);
  t.notOk("source" in (line ?? {}));
  t.match((await replay([path], { json: false })).stdout, "no trunk matches a source without address (1)");
  t.match(parseLines((await replay([path], { trunk: "lease" })).stdout)[0], { reason: "listed" });
});

void t.test("IAMs: what a circuit has, and what it doesn't have", async (t) => {
  const [line] = parseLines((await inspect([capture("isup-callers.pcap")], true)).stdout);
  t.strictSame(line, {
    frame: 1,
    time: "2026-10-03T08:15:02.000000Z",
    signalling: "isup",
    transport: "sctp",
    source: "192.0.2.11:2905",
    destination: "198.51.100.1:2905",
    isup: { opc: 11, dpc: 1, cic: 1, natureOfAddress: 3, screening: 3 },
    calling: [
      { source: "isup-calling-party", raw: "1087654321", number: "+861087654321", presentation: "allowed" },
    ],
    called: { raw: "2787654321", number: "+862787654321" },
    diversion: [],
  });
  const unit = encodeIsup("IAM called=3:2787654321 calling=3:1087654321");
  const bytes = Buffer.concat([Buffer.from("85bc4153e00500", "hex"), unit]);
  const link = place(
    "link.pcap",
    writePcap([{ seconds: 1_791_015_302, nanos: 0, bytes }], { linkType: 141 }),
  );
  const [onLink] = parseLines((await inspect([link], true)).stdout);
  t.equal(onLink?.["transport"], "mtp");
  t.notOk("source" in (onLink ?? {}) || "destination" in (onLink ?? {}), "a link has no addresses");
  t.match(
    (await inspect([link], false)).stdout,
    /pc 333 +pc 444 +\+861087654321 +\+862787654321 +isup; mtp; circuit 333-444-5/,
  );
  t.match((await replay([link], { json: false })).stdout, "no trunk matches point code 333 (1)");
  t.match(parseLines((await replay([link], { trunk: "lease" })).stdout)[0], {
    verdict: "accept",
    reason: "listed",
  });
});

/** Two trunks behind one address, by these keys of `match`. */
function twoTrunks(one: string, others: string): string {
  return `version: 1
trunks:
  - { id: core, side: core, match: { addresses: [198.51.100.1] } }
  - { id: one, side: national, match: { addresses: [192.0.2.21], opc: [21], ${one} } }
  - { id: others, side: national, match: { addresses: [192.0.2.21], opc: [21], ${others} } }
`;
}

void t.test("IAMs of one association: the trunk by circuit, network indicator and appearance", async (t) => {
  const trunksBy = async (one: string, others: string): Promise<readonly unknown[]> => {
    place("policy.yaml", twoTrunks(one, others));
    const config = place("sigwall.yaml", "listen: [udp:127.0.0.1:5060]\npolicy: policy.yaml\n");
    const { stdout } = await replay([capture("isup-circuits.pcap")], { config });
    return parseLines(stdout).flatMap((line) => (line["malformed"] === undefined ? [line["trunk"]] : []));
  };
  // Circuits 1, 2, 1 and 3, network indicator 2, without a network appearance.
  t.same(await trunksBy("cic: [1]", 'cic: ["2-30"]'), ["one", "others", "one", "others"]);
  t.same(await trunksBy('cic: ["2-30"]', 'cic: ["1-30"], ni: 2'), ["others", "one", "others", "one"]);
  t.same(await trunksBy("ni: 0", "ni: [2, 3]"), ["others", "others", "others", "others"]);
  t.same(await trunksBy("networkAppearance: 7", "dpc: [1]"), ["others", "others", "others", "others"]);
  const none = [undefined, undefined, undefined, undefined];
  t.same(await trunksBy("networkAppearance: 7", "cic: [4]"), none);
  const { stdout } = await replay([capture("isup-circuits.pcap")], {
    json: false,
    config: join(folder, "sigwall.yaml"),
  });
  t.match(stdout, "no trunk matches 192.0.2.21:2905 point code 21 (4); --trunk ID");
});

void t.test("several captures: each line names its own", async (t) => {
  const files = [capture("cli-conflict.pcap"), capture("number-class.pcap")];
  const lines = parseLines((await inspect(files, true)).stdout);
  t.equal(lines.length, 10);
  t.match(lines[0], { capture: files[0], frame: 1 });
  t.match(lines[9], { capture: files[1], frame: 6 });
});

void t.test("a replay says why nothing matched", async (t) => {
  const config = join(shipped, "sigwall.yaml");
  const { stdout } = await replay([capture("cli-conflict.pcap")], { json: false, config });
  t.match(stdout, "4 drop source-unknown");
  t.match(
    stdout,
    "no trunk matches 192.0.2.11:5060 (3), 192.0.2.12:5060 (1); --trunk ID judges every attempt",
  );
});

void t.test("exit codes of replay", async (t) => {
  const files = [capture("cli-conflict.pcap")];
  const good = (await replay(files)).stdout;
  const rows: readonly (readonly [options: Parameters<typeof replay>[1], code: number, message: string])[] = [
    [{}, 0, ""],
    [{ expect: place("good.ndjson", good) }, 0, ""],
    [{ expect: place("other.ndjson", good.replaceAll(/"revision":"[0-9a-f]+"/gu, '"revision":"0"')) }, 0, ""],
    [
      { expect: place("part.ndjson", '{"verdict":"reject"}\n{"frame":2}\n{"verdict":"accept"}\n{}\n') },
      0,
      "",
    ],
    [
      { expect: place("bad.ndjson", good.replaceAll('"accept"', '"drop"')) },
      1,
      'line 3: verdict: expected "drop", got "accept"',
    ],
    [{ expect: place("long.ndjson", `${good}{}\n`) }, 1, "1 expected lines are missing, the first is line 5"],
    [{ expect: place("short.ndjson", "{}\n") }, 1, "one line too many"],
    [{ expect: place("text.ndjson", "{}\nno\n") }, 2, "line 2 is not JSON"],
    [{ expect: join(folder, "missing.ndjson") }, 2, "no such file"],
    [{ trunk: "leas" }, 2, 'unknown trunk "leas"; did you mean "lease"?'],
    [{ config: place("broken.yaml", "engine: nothing\n") }, 1, "engine"],
    [{ config: join(folder, "missing.yaml") }, 1, "no such file"],
  ];
  for (const [options, code, message] of rows) {
    const result = await replay(files, options);
    t.equal(result.code, code, JSON.stringify(options));
    t.ok(result.stderr.includes(message), `${message}: ${result.stderr}`);
  }
});

void t.test("--expect holds for all captures together", async (t) => {
  const files = [capture("cli-conflict.pcap"), capture("number-class.pcap")];
  const damaged = place("no-capture.pcap", "no capture");
  const good = (await replay(files)).stdout;
  const lines = good.trimEnd().split("\n");
  const change = (at: number, from: string, to: string): string =>
    lines.map((line, i) => (i === at ? line.replace(from, to) : line)).join("\n");
  const rows: readonly (readonly [name: string, files: string[], expect: string, number, string])[] = [
    ["its own output", files, good, 0, ""],
    ["without the names of the captures", files, "{}\n".repeat(lines.length), 0, ""],
    ["a difference in the first capture", files, change(0, '"frame":1', '"frame":9'), 1, "line 1: frame"],
    ["a difference in the last capture", files, change(9, '"frame":6', '"frame":9'), 1, "line 10: frame"],
    ["another order of captures", files.toReversed(), good, 1, "line 1: capture"],
    ["the lines of the first alone", files, lines.slice(0, 4).join("\n"), 1, "one line too many"],
    ["one capture less", files.slice(0, 1), good, 1, "line 1: capture"],
    ["an unreadable capture first", [damaged, ...files], good, 1, "not a capture"],
    ["an unreadable capture last", [...files, damaged], good, 1, "not a capture"],
  ];
  for (const [name, captures, expected, code, message] of rows) {
    for (const json of [true, false]) {
      const result = await replay(captures, { json, expect: place("several.ndjson", expected) });
      t.equal(result.code, code, `${name}: exit code`);
      t.ok(result.stderr.includes(message), `${name}: ${result.stderr}`);
      t.equal(result.stderr.includes("output differs"), code === 1 && message !== "not a capture", name);
    }
  }
  const differing = await replay(files, {
    expect: place("several.ndjson", change(0, '"frame":1', '"frame":9')),
  });
  t.equal(differing.stdout, good, "the output is whole after a difference");
  t.end();
});

void t.test("the same file and policy give the same bytes", async (t) => {
  for (const name of ["call-rate.pcap", "tcp-segments.pcap"]) {
    const first = await replay([capture(name)]);
    t.equal((await replay([capture(name)])).stdout, first.stdout, name);
  }
});
