import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import t from "tap";
import { runCommand, startFilter } from "./filter-process.ts";
import { openWorkplace } from "./workplace.ts";

/** The series of a decision that was met once. */
function series(labels: string): string {
  return `sigwall_attempts_total{trunk="lease",${labels},mode="enforce"} 1\n`;
}

void t.test("run: calls are judged, the admin address answers, SIGTERM ends it", async (t) => {
  const place = await openWorkplace();
  t.teardown(place.remove);
  const filter = await startFilter(place.config);
  const url = (path: string): string => `${filter.admin}${path}`;

  const before = await (await fetch(url("/metrics"))).text();
  t.match(
    before,
    'sigwall_attempts_total{trunk="lease",verdict="reject",reason="cli-hidden",rule="hidden-caller",mode="enforce"} 0\n',
    "a series before the first call",
  );
  t.match(before, 'sigwall_failovers_total{trunk="core",cause="down"} 0\n', "on every trunk");
  t.match(before, 'sigwall_unjudged_attempts_total{report="attempt"} 0\n');
  t.equal(await place.placeCall(filter.sipPort, "01087654321"), "forwarded", "a listed caller");
  t.equal(
    await place.placeCall(filter.sipPort, "01087654400"),
    "403",
    "the number behind the list's last one",
  );
  t.equal(await place.placeCall(filter.sipPort, "anonymous"), "433", "a hidden caller");

  const table: readonly [method: string, path: string, status: number, body: string][] = [
    ["GET", "/healthz", 200, "alive\n"],
    ["GET", "/readyz", 200, "ready\n"],
    ["GET", "/readyz?verbose", 200, "ready\n"],
    ["HEAD", "/healthz", 200, ""],
    ["POST", "/healthz", 405, "GET only\n"],
    ["GET", "/reload", 405, "POST only\n"],
    ["DELETE", "/metrics", 405, "GET only\n"],
    ["GET", "/", 404, "try /metrics, /healthz, /readyz, /reload\n"],
    ["GET", "/toString", 404, "try /metrics, /healthz, /readyz, /reload\n"],
  ];
  for (const [method, path, status, body] of table) {
    const response = await fetch(url(path), { method });
    t.equal(response.status, status, `${method} ${path}`);
    t.equal(await response.text(), body, `${method} ${path}: body`);
  }
  t.equal((await fetch(url("/metrics"), { method: "POST" })).headers.get("allow"), "GET");

  const metrics = await (await fetch(url("/metrics"))).text();
  t.match(metrics, series('verdict="accept",reason="listed",rule="default"'));
  t.match(metrics, series('verdict="reject",reason="cli-not-listed",rule="caller-authentication"'));
  t.match(metrics, series('verdict="reject",reason="cli-hidden",rule="hidden-caller"'));
  t.match(metrics, "sigwall_decision_seconds_count 3\n");
  t.match(metrics, 'sigwall_list_numbers{list="own"} 100\n');
  t.match(
    metrics,
    /\nsigwall_next_hop_up\{trunk="lease",next_hop="127\.0\.0\.1:\d+"\} 0\n/u,
    "a next hop that never answered has its series",
  );
  const promtool = spawnSync("promtool", ["check", "metrics"], { input: metrics, encoding: "utf8" });
  if (promtool.error === undefined)
    t.equal(promtool.status, 0, `promtool: ${promtool.stdout}${promtool.stderr}`);
  else t.pass("promtool", { skip: "not installed: only the house's own rules hold for the metrics" });

  const refused = await filter.logged(["call refused", "cli-not-listed"]);
  t.match(JSON.parse(refused), {
    level: "info",
    trunk: "lease",
    verdict: "reject",
    rule: "caller-authentication",
    caller: ["+8610xxxxxxxx"],
    called: "+8627xxxxxxxx",
  });
  await filter.logged(["call refused", "cli-hidden"]);
  t.equal(await filter.stop(), 0, "exit code after SIGTERM");
  for (const digits of ["87654321", "87654400", "2787654321"]) {
    t.notMatch(
      filter.output().slice(filter.output().indexOf("\n{")),
      digits,
      `the log never shows ${digits}`,
    );
  }
});

void t.test("run: the admin address takes no large body", async (t) => {
  const place = await openWorkplace();
  t.teardown(place.remove);
  const filter = await startFilter(place.config);
  const { hostname, port } = new URL(filter.admin);
  const received = await new Promise<string>((resolve) => {
    let text = "";
    const socket = connect(Number(port), hostname);
    socket.write(
      `POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n${"x".repeat(200_000)}`,
    );
    socket.on("data", (bytes) => (text += bytes.toString("latin1")));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(text));
  });
  t.notMatch(received, "200 OK", "the connection was closed");
  t.equal((await fetch(`${filter.admin}/healthz`)).status, 200, "the next one is served");
  t.equal(await filter.stop("SIGINT"), 0, "exit code after SIGINT");
});

void t.test("run: an address in use is an error in words, and leaves nothing running", async (t) => {
  const place = await openWorkplace();
  t.teardown(place.remove);
  const filter = await startFilter(place.config);
  const listening = `udp:127.0.0.1:${filter.sipPort}`;
  place.write("sigwall.yaml", `listen: ["${listening}"]\nadmin: 127.0.0.1:0\npolicy: policy.yaml\n`);
  const second = await runCommand(["run", "--config", place.config]);
  t.equal(second.code, 1);
  t.match(second.stderr, `can't listen on ${listening}, admin 127.0.0.1:0: address already in use`);
  place.write(
    "sigwall.yaml",
    `listen: [udp:127.0.0.1:0]\nadmin: ${new URL(filter.admin).host}\npolicy: policy.yaml\n`,
  );
  const third = await runCommand(["run", "--config", place.config]);
  t.equal(third.code, 1);
  t.match(third.stderr, "address already in use");
  t.equal(await filter.stop(), 0);
});

void t.test("run: every issue of a broken configuration is printed, and nothing starts", async (t) => {
  const place = await openWorkplace();
  t.teardown(place.remove);
  place.write(
    "policy.yaml",
    place.policy({ rules: "{ hidden-calller: { mode: off } }" }).replace("lessee: own", "lessee: owm"),
  );
  const { code, stdout, stderr } = await runCommand(["run", "--config", place.config]);
  t.equal(code, 1);
  t.equal(stdout, "");
  t.match(stderr, /policy\.yaml:9:5 trunks\[1\]\.lessee: unknown lessee "owm"; did you mean "own"\?/);
  t.match(stderr, 'did you mean "hidden-caller"?');
});

void t.test("run: the key file is made once, for its owner only", async (t) => {
  const place = await openWorkplace();
  t.teardown(place.remove);
  const filter = await startFilter(place.config);
  t.equal(statSync(join(place.folder, "own.key")).mode & 0o777, 0o600);
  t.equal(await filter.stop(), 0);
});

void t.test("run: outside a terminal there is the log and nothing else, warnings too", async (t) => {
  const place = await openWorkplace();
  t.teardown(place.remove);
  place.write(
    "lists/own.csv",
    "number,valid_to,remark\n+861087654300..+861087654399,2020-01-01,x\n+861087654321,,\n",
  );
  const filter = await startFilter(place.config);
  await filter.logged(['"level":"warn"', "unknown column"]);
  await filter.stop();
  const [standardOutput, ...log] = filter.output().split("\n");
  t.equal(standardOutput, "", "nothing on standard output");
  for (const line of log) {
    const entry: unknown = JSON.parse(line);
    t.match(entry, { level: /^(?:info|warn)$/, time: /Z$/, msg: /\S/ }, line.slice(0, 60));
  }
});
