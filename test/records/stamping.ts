import { mkdirSync, readdirSync, utimesSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import { join } from "node:path";
import t from "tap";
import { createStampingTimes } from "../../src/app/records/stamping-times.ts";
import { lastStamped, stampNewest } from "../../src/records/evidence/newest-stamp.ts";
import { logFiles } from "../../src/records/evidence/log-files.ts";
import { runCommand, startFilter } from "../cli/filter-process.ts";
import { openWorkplace, staticText } from "../cli/workplace.ts";
import {
  type AuthorityChange,
  hasOpenssl,
  makeAuthority,
  openssl,
  serveAuthority,
} from "../support/time-stamp-authority.ts";
import { createPlace, fill, noon, openLog } from "./evidence-place.ts";

const MINUTE = 60_000;

void t.test("stamping: when the authority is asked", (t) => {
  const every = 10 * MINUTE;
  const times = createStampingTimes(every);
  t.equal(times.first(noon, undefined), 0, "there is no stamp yet");
  t.equal(times.first(noon, noon - 4 * MINUTE), 6 * MINUTE, "a restart asks no sooner");
  t.equal(times.first(noon, noon - 11 * MINUTE), 0);
  t.equal(times.first(noon, noon + 100 * MINUTE), every, "a clock that was set back");
  t.equal(times.after({ kind: "none" }), 1000);
  const failed = { kind: "failed", why: "x" } as const;
  t.same(
    Array.from({ length: 12 }, () => times.after(failed)),
    [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600].map((seconds) => seconds * 1000),
  );
  t.equal(times.after({ kind: "stamped", size: 7 }), every);
  t.equal(times.after(failed), 1000, "it begins again");
  t.equal(times.after({ kind: "same" }), every);
  t.end();
});

const skip = hasOpenssl ? false : "openssl is not installed";

void t.test("stamping: the newest checkpoint, once", { skip }, async (t) => {
  const place = createPlace(t);
  makeAuthority(place.base);
  let asked = 0;
  const url = await serveAuthority(t, place.base, { reply: (reply) => reply, asked: () => asked++ });
  t.same(await stampNewest(place.folder, "gw-a", url), { kind: "none" });
  t.equal(lastStamped(place.folder, "gw-a"), undefined);
  const log = openLog(place);
  t.same(await stampNewest(place.folder, "gw-a", url), { kind: "none" }, "nothing is signed yet");
  fill(log, 3);
  t.same(await stampNewest(place.folder, "gw-a", url), { kind: "stamped", size: 5 });
  t.same(await stampNewest(place.folder, "gw-a", url), { kind: "same" });
  t.equal(asked, 1);
  fill(log, 3, 3, noon, 3);
  log.close();
  t.same(await stampNewest(place.folder, "gw-a", url), { kind: "stamped", size: 8 });
  const { stamps } = logFiles(place.folder, "gw-a");
  utimesSync(join(stamps, "8.tsr"), noon / 1000, noon / 1000);
  t.equal(lastStamped(place.folder, "gw-a"), noon);
  t.match(await stampNewest(place.base, "gw-a", url), { kind: "none" });
});

void t.test("a running filter has its evidence stamped, and tries again", { skip }, async (t) => {
  const place = await openWorkplace();
  t.teardown(place.remove);
  const authority = join(place.folder, "authority");
  mkdirSync(authority);
  makeAuthority(authority);
  let asked = 0;
  const change: AuthorityChange = {
    reply: (reply) => reply,
    status: 503,
    asked: () => (change.status = ++asked > 1 ? 200 : 503),
  };
  const url = await serveAuthority(t, authority, change);
  place.write(
    "sigwall.yaml",
    `${staticText}node: gw-a\nevidence: { folder: evidence, keyFile: evidence.key, checkpointSeconds: 1, timeStamp: { url: "${url}", everyMinutes: 1 } }\n`,
  );
  const filter = await startFilter(place.config);
  t.teardown(() => filter.signal("SIGKILL"));
  t.equal(await place.placeCall(filter.sipPort, "01066660000"), "403");
  t.match(await filter.logged(["no time stamp of the evidence"]), /"level":"warn".*HTTP status 503/);
  const line = await filter.logged(["evidence time stamp"]);
  const size = Number(/"size":(\d+)/.exec(line)?.[1]);
  const { stamps } = logFiles(join(place.folder, "evidence"), "gw-a");
  t.same(readdirSync(stamps).toSorted(), [`${size}.checkpoint`, `${size}.tsr`]);
  const files = ["-data", join(stamps, `${size}.checkpoint`), "-in", join(stamps, `${size}.tsr`)];
  t.match(openssl(authority, "ts", "-verify", ...files, "-CAfile", "ca.pem"), "Verification: OK");
  t.equal(await filter.stop(), 0);
  const verified = await runCommand(["evidence", "verify", join(place.folder, "evidence")]);
  t.match(verified, { code: 0, stdout: /1 time stamps/ });
  const callId = /Call-ID: (\S+)/.exec(place.lastInvite())?.[1] ?? "";
  const out = join(place.folder, "out");
  const places = ["--config", place.config, "--out", out];
  const exported = await runCommand(["evidence", "export", "--call-id", callId, ...places]);
  t.equal(exported.code, 0, exported.stderr);
  const stamped = ["-data", join(out, "checkpoint"), "-in", join(out, "checkpoint.tsr")];
  t.match(openssl(authority, "ts", "-verify", ...stamped, "-CAfile", "ca.pem"), "Verification: OK");
});

void t.test("an authority that never answers keeps no filter from ending", async (t) => {
  const place = await openWorkplace();
  t.teardown(place.remove);
  const server = createServer();
  const asked = once(server, "request");
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  place.write(
    "sigwall.yaml",
    `${staticText}node: gw-a\nevidence: { folder: evidence, keyFile: evidence.key, checkpointSeconds: 1, timeStamp: { url: "http://127.0.0.1:${port}/" } }\n`,
  );
  const filter = await startFilter(place.config);
  t.teardown(() => filter.signal("SIGKILL"));
  t.equal(await place.placeCall(filter.sipPort, "01066660000"), "403");
  await asked;
  t.equal(await place.placeCall(filter.sipPort, "01066660000"), "403", "calls go on");
  t.equal(await filter.stop(), 0);
});
