import { chmodSync, existsSync, lstatSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request as ask } from "node:http";
import { join } from "node:path";
import t, { type Test } from "tap";
import { type Filter, type Finished, runCommand, startFilter } from "./filter-process.ts";
import { openWorkplace, staticText, type Workplace } from "./workplace.ts";

const listed = "01087654321";

interface Scene {
  readonly place: Workplace;
  readonly start: (config?: string) => Promise<Filter>;
  /** Runs `sigwall line …` with an order and a reason. */
  readonly line: (...args: readonly string[]) => Promise<Finished>;
  readonly socket: string;
  readonly file: string;
}

async function openScene(t: Test): Promise<Scene> {
  const place = await openWorkplace();
  t.teardown(place.remove);
  return {
    place,
    async start(config = place.config) {
      const filter = await startFilter(config);
      t.teardown(() => filter.signal("SIGKILL"));
      return filter;
    },
    line: (...args) =>
      runCommand(["line", ...args, "--order", "JG-1", "--reason", "a test", "--config", place.config]),
    socket: join(place.folder, "state/admin.sock"),
    file: join(place.folder, "state/lines.json"),
  };
}

async function kill(filter: Filter): Promise<void> {
  filter.signal("SIGKILL");
  await filter.ended;
}

/** The last INVITE as a new call to an emergency service. */
const toPolice = (invite: string): string =>
  invite
    .replaceAll("02787654321@", "110@")
    .replace(/branch=\S+;rport/u, "branch=z9hG4bK-police;rport")
    .replace(/Call-ID: \S+/u, "Call-ID: police");

async function metric({ admin }: Filter, name: string): Promise<readonly string[]> {
  const text = await (await fetch(`${admin}/metrics`)).text();
  return text.split("\n").filter((line) => line.startsWith(name));
}

interface Answered {
  readonly status: number;
  readonly body: string;
}

/** Sends a request over the Unix socket. */
function askSocket(
  socketPath: string,
  path: string,
  body: string,
  headers: Readonly<Record<string, string>> = { "content-type": "application/json" },
  method = "POST",
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const request = ask({ socketPath, path, method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.once("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    request.once("error", reject);
    request.end(body);
  });
}

const orderText = (state: string): string => JSON.stringify({ state, order: "JG-1", reason: "a test" });

void t.test(
  "a line is stopped and opened while the filter runs, over reload, restart and kill -9",
  async (t) => {
    const { place, start, line, socket } = await openScene(t);
    const first = await start();
    t.equal(lstatSync(socket).mode & 0o777, 0o600, "for the user of the filter alone");
    t.ok(lstatSync(socket).isSocket());
    t.equal(await place.placeCall(first.sipPort, listed), "forwarded");
    t.same(await line("suspend", "lease", "--authority", "police", "--until", "2099-12-31"), {
      code: 0,
      stdout: [
        "trunk:lease is suspended (before: active), trunks: lease",
        "  by command, for trunk:lease",
        "  order JG-1 of police",
        "  reason a test",
        "  until 2100-01-01T00:00:00.000+08:00",
        "  calls in progress: keep",
        "released 0, gone 0, not releasable 0",
        "",
      ].join("\n"),
      stderr: "",
    });
    t.equal(await place.placeCall(first.sipPort, listed), "403");
    t.equal(await place.send(first.sipPort, toPolice(place.lastInvite())), "forwarded", "an emergency call");
    t.same(await metric(first, "sigwall_line_"), [
      'sigwall_line_state{trunk="lease",state="suspended"} 1',
      "sigwall_line_orders_ok 1",
    ]);
    t.match(
      await metric(first, 'sigwall_attempts_total{trunk="lease",verdict="reject",reason="line-stopped"'),
      [/rule="line-state",mode="enforce"\} 1$/u],
    );
    await first.logged([
      '"line":"trunk:lease","state":"suspended","previous":"active"',
      '"msg":"line order"',
    ]);

    place.write("policy.yaml", place.policy({ rules: "{ hidden-caller: { mode: monitor } }" }));
    first.signal("SIGHUP");
    await first.logged(['"msg":"policy reloaded"']);
    t.equal(await place.placeCall(first.sipPort, listed), "403", "after a reload");

    await kill(first);
    t.ok(existsSync(socket), "a dead process leaves its socket");
    const second = await start();
    t.equal(await place.placeCall(second.sipPort, listed), "403", "after kill -9");
    t.equal((await line("close", "lessee:own")).code, 0, "the socket was replaced");
    t.equal(await second.stop(), 0);
    t.notOk(existsSync(socket), "an orderly end takes it away");

    const third = await start();
    t.equal(await place.placeCall(third.sipPort, listed), "403", "after a restart");
    t.equal((await line("open", "own")).code, 0);
    t.equal(await place.placeCall(third.sipPort, listed), "403", "the trunk has an order of its own");
    t.match(await line("open", "lease"), {
      code: 0,
      stdout: /^trunk:lease is active \(before: suspended\)/u,
    });
    t.equal(await place.placeCall(third.sipPort, listed), "forwarded");
    t.match(await line("observe", "lease"), { code: 0, stdout: /^trunk:lease is observed/u });
    t.equal(await place.placeCall(third.sipPort, listed), "forwarded");
    t.equal(await place.placeCall(third.sipPort, "01099999999"), "403", "the other rules judge it as ever");
    await kill(third);
  },
);

void t.test("in force as soon as the command returns, and within 100 ms", async (t) => {
  const { place, start, socket } = await openScene(t);
  const filter = await start();
  const times: number[] = [];
  for (let round = 0; round < 10; round++) {
    const begun = performance.now();
    const { status } = await askSocket(socket, "/api/lines/trunk/lease", orderText("suspended"));
    t.equal(status, 200);
    t.equal(await place.placeCall(filter.sipPort, listed), "403");
    times.push(performance.now() - begun);
    await askSocket(socket, "/api/lines/lease", orderText("active"));
    t.equal(await place.placeCall(filter.sipPort, listed), "forwarded");
  }
  times.sort((a, b) => a - b);
  t.comment(
    `order, answer and a refused call: median ${times[5]?.toFixed(1)} ms, most ${times[9]?.toFixed(1)} ms`,
  );
  // The fastest one: another program may take the core in any of the others.
  t.ok((times[0] ?? Infinity) < 100);
  await kill(filter);
});

void t.test("the socket: what it refuses", async (t) => {
  const { start, socket } = await openScene(t);
  const filter = await start();
  const path = "/api/lines/trunk/lease";
  const sound = orderText("suspended");
  const json = { "content-type": "application/json" };
  const rows: readonly (readonly [
    name: string,
    path: string,
    body: string,
    headers: Readonly<Record<string, string>>,
    status: number,
    says: RegExp,
  ])[] = [
    ["no type", path, sound, {}, 415, /must be application\/json/u],
    ["a form", path, sound, { "content-type": "application/x-www-form-urlencoded" }, 415, /must be/u],
    ["a web page", path, sound, { ...json, origin: "http://x" }, 403, /another origin/u],
    ["no JSON", path, "{", json, 400, /no JSON/u],
    ["a list", path, "[]", json, 400, /expected a JSON object/u],
    ["no state", path, "{}", json, 400, /state: expected active \| observe/u],
    ["another key", path, '{"state":"closed","what":1}', json, 400, /unknown key \\"what/u],
    ["no order", path, '{"state":"closed","reason":"x"}', json, 400, /order: required/u],
    [
      "an empty reason",
      path,
      '{"state":"closed","order":"x","reason":" "}',
      json,
      400,
      /reason: expected text/u,
    ],
    [
      "a line feed",
      path,
      '{"state":"closed","order":"x\\ny","reason":"y"}',
      json,
      400,
      /order: expected text/u,
    ],
    [
      "a bidi mark",
      path,
      '{"state":"closed","order":"x\\u202ey","reason":"y"}',
      json,
      400,
      /order: expected/u,
    ],
    [
      "a long text",
      path,
      JSON.stringify({ state: "closed", order: "x".repeat(501), reason: "y" }),
      json,
      400,
      /order/u,
    ],
    ["too large", path, " ".repeat(5000) + sound, json, 413, /too large/u],
    [
      "release of what passes",
      path,
      '{"state":"observe","order":"x","reason":"y","calls":"release"}',
      json,
      400,
      /calls/u,
    ],
    ["no line", "/api/lines/", sound, json, 404, /expected \/api\/lines/u],
    ["a kind that is none", "/api/lines/core/lease", sound, json, 404, /expected \/api\/lines/u],
    ["a name that is none", "/api/lines/trunk/..%2f", sound, json, 404, /expected \/api\/lines/u],
    ["one part too many", `${path}/x`, sound, json, 404, /expected \/api\/lines/u],
    ["unknown", "/api/lines/trunk/leas", sound, json, 404, /did you mean \\"lease\\"/u],
    ["the core", "/api/lines/trunk/core", sound, json, 409, /not screened/u],
  ];
  for (const [name, asked, body, headers, status, says] of rows) {
    const answer = await askSocket(socket, asked, body, headers);
    t.equal(answer.status, status, `${name}: ${answer.body}`);
    t.match(answer.body, says, name);
  }
  t.equal((await askSocket(socket, path, "", json, "GET")).status, 405);
  t.match(await askSocket(socket, "/readyz", "", {}, "GET"), { status: 200, body: "ready\n" });
  t.match(await metric(filter, "sigwall_line_state"), ['sigwall_line_state{trunk="lease",state="active"} 1']);
  const onAddress = await fetch(`${filter.admin}${path}`, { method: "POST", headers: json, body: sound });
  t.equal(onAddress.status, 404, "on the socket only");
  await kill(filter);
});

void t.test("without a filter the order is written, and the next start obeys", async (t) => {
  const { place, start, line, file } = await openScene(t);
  const { code, stdout, stderr } = await line("suspend", "own", "--calls", "release");
  t.equal(code, 0, stderr);
  t.match(stdout, "lessee:own is suspended (before: active), trunks: lease\n");
  t.match(
    stderr,
    /no filter answers at .*admin\.sock: the order is in .*lines\.json, and the next start obeys it/u,
  );
  t.match(readFileSync(file, "utf8"), '"lessee:own"');
  const checked = await runCommand(["check", "--config", place.config]);
  t.match(checked.stdout, /^lines +lessee:own +suspended +by command +order JG-1$/mu);
  const explained = await runCommand([
    "explain",
    "--trunk",
    "lease",
    "--from",
    listed,
    "--to",
    "02787654321",
    "--config",
    place.config,
  ]);
  t.match(explained.stdout, "verdict: reject line-stopped, decided by line-state");
  t.match(explained.stdout, "take the order away: sigwall line open lessee:own");

  const filter = await start();
  await filter.logged(['"line":"lessee:own","state":"suspended"', '"by":"command"', '"notReleasable":0']);
  t.equal(await place.placeCall(filter.sipPort, listed), "403");
  await filter.stop();
  t.equal((await line("open", "lessee:own")).code, 0);
  const again = await start();
  t.equal(await place.placeCall(again.sipPort, listed), "forwarded");
  await kill(again);
});

void t.test("the policy file: a command opens nothing that it closes, and names the line", async (t) => {
  const { place, start, line } = await openScene(t);
  const closed = place.policy().replace("lessee: own", "lessee: own\n    state: closed");
  place.write("policy.yaml", closed);
  const said =
    /^sigwall line: trunk:lease is closed by the policy file: .*policy\.yaml:10:5; set its state there to active/u;
  t.match(await line("open", "lease"), { code: 1, stderr: said, stdout: "" }, "without a filter");
  const filter = await start();
  await filter.logged(['"line":"trunk:lease","state":"closed"', '"by":"file"']);
  t.equal(await place.placeCall(filter.sipPort, listed), "403");
  t.match(await line("open", "lease"), { code: 1, stderr: said, stdout: "" });
  place.write("policy.yaml", place.policy());
  filter.signal("SIGHUP");
  await filter.logged(['"line":"trunk:lease","state":"active"', '"by":"file"']);
  t.equal(await place.placeCall(filter.sipPort, listed), "forwarded");
  t.equal((await line("open", "lease")).code, 0);
  await kill(filter);
});

void t.test("two processes: the socket and the folder belong to the first", async (t) => {
  const { place, start, line, socket } = await openScene(t);
  const first = await start();
  const second = await start();
  await second.logged(["the state folder", "can't be used"]);
  t.equal((await line("suspend", "lease")).code, 0);
  t.equal(await place.placeCall(first.sipPort, listed), "403", "the owner of the folder takes the order");
  t.equal(await place.placeCall(second.sipPort, listed), "forwarded");
  await kill(second);
  t.ok(existsSync(socket));

  place.write(
    "other.yaml",
    `${staticText}stateFolder: other\n`.replace(
      "127.0.0.1:0\npolicy",
      "{ listen: 127.0.0.1:0, socket: state/admin.sock }\npolicy",
    ),
  );
  const third = await start(join(place.folder, "other.yaml"));
  await third.logged(["the admin socket can't be opened", "another process serves it"]);
  t.equal((await line("close", "lease")).code, 0, "a living socket is not replaced");
  t.equal(await place.placeCall(first.sipPort, listed), "403");
  t.equal(await third.stop(), 0);
  t.ok(existsSync(socket), "and not taken away");

  rmSync(socket);
  t.match(await line("open", "lease"), {
    code: 1,
    stdout: "",
    stderr:
      /no filter answers at .*, and the state folder .* can't be used: process \d+ uses it; nothing was changed/u,
  });
  await kill(first);
});

void t.test("a damaged lines.json is told, and the line stays stopped", async (t) => {
  const { place, start, line, file } = await openScene(t);
  t.equal((await line("suspend", "lease")).code, 0);
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.slice(0, -20));
  const checked = await runCommand(["check", "--config", place.config]);
  t.match(checked.stdout, /stateFolder: warning: line orders: .*lines\.json is damaged: it is no JSON/u);
  const filter = await start();
  await filter.logged([
    '"level":"error"',
    "lines.json is damaged: it is no JSON; its copy lines.copy.json holds",
  ]);
  t.same(await metric(filter, "sigwall_line_orders_ok"), ["sigwall_line_orders_ok 0"]);
  t.equal(await place.placeCall(filter.sipPort, listed), "403");
  t.ok(existsSync(`${file}.damaged`));
  t.equal((await line("close", "lease")).code, 0);
  t.same(await metric(filter, "sigwall_line_orders_ok"), ["sigwall_line_orders_ok 1"]);
  await kill(filter);
  writeFileSync(file, "\0");
  rmSync(file.replace("lines.json", "lines.copy.json"));
  const lost = await start();
  await lost.logged([
    "lines.json is damaged",
    "an order that can't be read is forgotten",
    "0 orders in force",
  ]);
  t.same(await metric(lost, "sigwall_line_orders_ok"), ["sigwall_line_orders_ok 0"]);
  t.equal(await place.placeCall(lost.sipPort, listed), "forwarded", "the filter starts all the same");
  await kill(lost);
});

void t.test("a state folder that can't be used: an error instead of a promise", async (t) => {
  const { place, start, line } = await openScene(t);
  place.write("file", "");
  place.write("sigwall.yaml", `${staticText}stateFolder: file\n`);
  const offline = await line("suspend", "lease");
  t.match(offline, {
    code: 1,
    stdout: "",
    stderr: /the state folder .*file can't be used: .*; nothing was changed/u,
  });
  place.write(
    "sigwall.yaml",
    `${staticText}stateFolder: file\n`.replace(
      "127.0.0.1:0\npolicy",
      "{ listen: 127.0.0.1:0, socket: own.sock }\npolicy",
    ),
  );
  const filter = await start();
  t.match(await line("suspend", "lease"), {
    code: 1,
    stderr: /the state folder .*file can't be used: it is no folder; nothing was changed/u,
  });
  t.equal(await place.placeCall(filter.sipPort, listed), "forwarded");
  t.same(await metric(filter, "sigwall_line_orders_ok"), ["sigwall_line_orders_ok 0"]);
  await kill(filter);

  place.write(
    "sigwall.yaml",
    staticText.replace("127.0.0.1:0\npolicy", "{ listen: 127.0.0.1:0, socket: file }\npolicy"),
  );
  const odd = await start();
  await odd.logged(["the admin socket can't be opened", "something else than a socket is there"]);
  t.ok(lstatSync(join(place.folder, "file")).isFile(), "no file of others is replaced");
  await kill(odd);
});

void t.test("a folder that turns read-only: nothing is in force that could not be kept", async (t) => {
  const { place, start, line } = await openScene(t);
  if (process.getuid?.() === 0) {
    // Root writes everywhere. A folder in the place of the file is a failure for everybody.
    const filter = await start();
    const { mkdirSync } = await import("node:fs");
    mkdirSync(join(place.folder, "state/lines.json/x"), { recursive: true });
    t.match(await line("suspend", "lease"), {
      code: 1,
      stderr: /the order can't be kept: .*; nothing was changed/u,
    });
    t.equal(await place.placeCall(filter.sipPort, listed), "forwarded");
    await kill(filter);
    return;
  }
  const filter = await start();
  chmodSync(join(place.folder, "state"), 0o500);
  t.match(await line("suspend", "lease"), {
    code: 1,
    stderr: /the order can't be kept: .*; nothing was changed/u,
  });
  t.equal(await place.placeCall(filter.sipPort, listed), "forwarded");
  chmodSync(join(place.folder, "state"), 0o700);
  await kill(filter);
});

void t.test("wrong usage ends with 2", async (t) => {
  const { place } = await openScene(t);
  const config = ["--config", place.config];
  const order = ["--order", "JG-1", "--reason", "x"];
  const rows: readonly (readonly [args: readonly string[], code: number, says: RegExp])[] = [
    [["stop", "lease", ...order], 2, /Allowed choices are suspend, close, observe, open/u],
    [["suspend", ...order], 2, /missing required argument 'id'/u],
    [["suspend", "lease", "--reason", "x"], 2, /required option '--order/u],
    [["suspend", "lease", "--order", "x"], 2, /required option '--reason/u],
    [["suspend", "lease", "--order", " ", "--reason", "x"], 2, /order: expected text/u],
    [["suspend", "line:lease", ...order], 2, /"line:lease" is no line; expected trunk:NAME/u],
    [["suspend", "lease/..", ...order], 2, /is no line/u],
    [["suspend", "leas", ...order], 2, /unknown trunk or lessee "leas"; did you mean "lease"\?/u],
    [["suspend", "lease", ...order, "--until", "soon"], 2, /until: soon is no date or time/u],
    [["suspend", "lease", ...order, "--calls", "drop"], 2, /Allowed choices are keep, release/u],
    [
      ["observe", "lease", ...order, "--calls", "release"],
      2,
      /calls: release is only for suspended and closed/u,
    ],
    [
      ["open", "lease", ...order, "--until", "2099-01-01"],
      2,
      /until: an order that is taken away has no end/u,
    ],
    [["suspend", "core", ...order], 1, /trunk "core" is of side core/u],
  ];
  for (const [args, code, says] of rows) {
    const finished = await runCommand(["line", ...args, ...config]);
    t.equal(finished.code, code, args.join(" "));
    t.match(finished.stderr, says, args.join(" "));
    t.equal(finished.stdout, "");
  }
  t.notOk(existsSync(join(place.folder, "state/lines.json")), "nothing was written");
  t.match(await runCommand(["line", "open", "lease", ...order, "--config", "nothing.yaml"]), {
    code: 1,
    stderr: /nothing\.yaml:1:1: can't be read/u,
  });
  place.write("policy.yaml", "version: 2\n");
  t.match(await runCommand(["line", "suspend", "lease", ...order, ...config]), {
    code: 1,
    stderr: /no filter runs, and the policy can't be read; nothing was changed/u,
  });
});
