import { Buffer } from "node:buffer";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { logFiles } from "../../src/records/evidence/log-files.ts";
import { readDer, writeDer } from "../../src/records/tree/der.ts";
import { stampCheckpoint } from "../../src/records/tree/stamp-files.ts";
import { readTimeStampReply, writeTimeStampQuery } from "../../src/records/tree/time-stamp.ts";
import {
  type AuthorityChange,
  hasOpenssl,
  makeAuthority,
  openssl,
  serveAuthority,
} from "../support/time-stamp-authority.ts";
import { createPlace, fill, noon, openLog, verify } from "./evidence-place.ts";

const sample = {
  at: noon,
  origin: {
    signalling: "sip",
    transport: "udp",
    sourceAddress: "::1",
    sourcePort: 1,
    destinationAddress: "::1",
    destinationPort: 2,
  },
  bytes: Buffer.from("x"),
  originalLength: 1,
  line: "{}",
} as const;

void t.test(
  "time stamps of an authority of openssl",
  { skip: hasOpenssl ? false : "openssl is not installed" },
  async (t) => {
    const place = createPlace(t);
    makeAuthority(place.base);
    const log = openLog(place);
    fill(log, 3);
    const { stamps } = logFiles(place.folder, "gw-a");
    fill(log, 20, 30);
    const checkpoint = (log.append({ ...sample }), log.checkpoint(noon));
    log.close();
    if (checkpoint === undefined) throw new Error("no checkpoint");
    const change: AuthorityChange = { reply: (reply) => reply };
    const url = await serveAuthority(t, place.base, change);
    t.equal(await stampCheckpoint(url, stamps, checkpoint), undefined);
    t.equal(change.type, "application/timestamp-query");
    const [data, reply] = [
      join(stamps, `${checkpoint.size}.checkpoint`),
      join(stamps, `${checkpoint.size}.tsr`),
    ];
    t.match(
      openssl(place.base, "ts", "-verify", "-data", data, "-in", reply, "-CAfile", "ca.pem"),
      "Verification: OK",
    );
    t.match(
      openssl(place.base, "ts", "-query", "-in", "query.tsq", "-text"),
      /Hash Algorithm: sha256[^]*Certificate required: yes/,
    );
    const found = verify(place.folder);
    t.same(found.faults, []);
    t.equal(found.stamps, 1);

    const whole = readFileSync(reply);
    // The reply of one checkpoint beside another.
    const other = Buffer.from(checkpoint.note.replace("sigwall", "sigwalk"));
    t.match(readTimeStampReply(whole, Buffer.from(checkpoint.note)), { time: /^\d{14}Z$/ });
    t.match(readTimeStampReply(whole, other), /its message imprint is not the hash of this checkpoint/);
    for (let length = 0; length < whole.length; length += 7)
      if (typeof readTimeStampReply(whole.subarray(0, length), Buffer.from(checkpoint.note)) !== "string")
        t.fail(`cut at ${length}`);
    rmSync(join(stamps, `${checkpoint.size}.checkpoint`));
    t.match(verify(place.folder).faults, [/the stamp or its checkpoint is missing/]);

    const forged: readonly (readonly [what: string, change: AuthorityChange, why: RegExp])[] = [
      ["an old reply", { reply: () => whole }, /an answer to another request/],
      [
        "a refusal",
        { reply: () => Buffer.from("30053003020102", "hex") },
        /refused the time stamp with status 2/,
      ],
      ["nothing", { reply: () => Buffer.alloc(0) }, /is no time stamp reply/],
      ["a long reply", { reply: () => Buffer.alloc(100_000, 0x30) }, /longer than 65536 octets/],
      ["an error", { reply: (one) => one, status: 503 }, /HTTP status 503/],
    ];
    for (const [what, one, why] of forged) {
      Object.assign(change, { status: undefined }, one);
      t.match(await stampCheckpoint(url, join(place.base, "none"), checkpoint), why, what);
    }
    t.match(await stampCheckpoint("http://127.0.0.1:1/", stamps, checkpoint), /no time stamp: /);
  },
);

void t.test("DER: lengths in their shortest form, and damage", (t) => {
  for (const [size, head] of [
    [0, "0400"],
    [127, "047f"],
    [128, "048180"],
    [255, "0481ff"],
    [256, "04820100"],
    [65_536, "0483010000"],
  ] as const) {
    const bytes = writeDer(4, Buffer.alloc(size));
    t.equal(bytes.subarray(0, head.length / 2).toString("hex"), head);
    t.same(readDer(bytes), [{ tag: 4, content: Buffer.alloc(size) }]);
  }
  for (const bad of ["04", "0401", "0480", "0485000000000100", "048201", "30028000ff"])
    t.equal(readDer(Buffer.from(bad, "hex")), undefined, bad);
  t.notSame(writeTimeStampQuery(Buffer.from("a")).nonce, writeTimeStampQuery(Buffer.from("a")).nonce);
  t.end();
});
