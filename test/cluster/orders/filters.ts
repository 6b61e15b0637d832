// Two running filters that share orders: as an operator gives them, over kill -9 and a lost disk.
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { type IncomingMessage, request as ask } from "node:http";
import { join } from "node:path";
import t, { type Test } from "tap";
import { type Filter, type Finished, runCommand, startFilter } from "../../cli/filter-process.ts";
import { openWorkplace, staticText, type Workplace } from "../../cli/workplace.ts";
import { noRedis, startRedis } from "../../support/redis-server.ts";
import { PATIENCE } from "../../support/until.ts";

const listed = "01087654321";
/** Time from an order until another node obeys it. Milliseconds. One of them may meet a disk that stands still. */
const MOST = 300;

interface Scene {
  readonly place: Workplace;
  readonly start: (node: string) => Promise<Filter>;
  readonly kill: (filter: Filter) => Promise<void>;
  /** Runs a command by the node. */
  readonly run: (node: string, ...args: readonly string[]) => Promise<Finished>;
  readonly forgetDisk: (node: string) => void;
}

async function openScene(t: Test): Promise<Scene> {
  const place = await openWorkplace();
  const redis = await startRedis(place.folder);
  t.teardown(async () => {
    await redis.kill();
    place.remove();
  });
  place.write("policy.yaml", `${place.policy()}detectors: { one-ring: {} }\n`);
  const config = (node: string): string => join(place.folder, `${node}.yaml`);
  return {
    place,
    async start(node) {
      const more = `node: ${node}\nstateFolder: state-${node}\nredis: { url: "${redis.url}" }\nrecords: { folder: records-${node} }\n`;
      place.write(`${node}.yaml`, `${staticText}${more}`);
      const filter = await startFilter(config(node));
      t.teardown(() => filter.signal("SIGKILL"));
      return filter;
    },
    async kill(filter) {
      filter.signal("SIGKILL");
      await filter.ended;
    },
    run: (node, ...args) => runCommand([...args, "--config", config(node)]),
    forgetDisk: (node) => rmSync(join(place.folder, `state-${node}`), { recursive: true }),
  };
}

/** The orders in the records of a node: `NODE RECORD STATE`. */
function recordsOf({ place }: Scene, node: string): readonly string[] {
  const folder = join(place.folder, `records-${node}`);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const lines = files
    .filter((name) => name.endsWith(".ndjson"))
    .flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n"));
  return lines.flatMap((line) => {
    const [, record] = /"record":"(order|finding)"/u.exec(line) ?? [];
    const [, what] = /"(?:state|order)":"(suspended|active|add|release)"/u.exec(line) ?? [];
    return record === undefined ? [] : [`${node} ${record} ${what}`];
  });
}

/** Posts an order to the socket of a node, as the command does. @returns the status of the answer */
async function post({ place }: Scene, node: string, path: string, body: object): Promise<number> {
  const socketPath = join(place.folder, `state-${node}/admin.sock`);
  const sent = ask({ socketPath, path, method: "POST", headers: { "content-type": "application/json" } });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.once("response", resolve).once("error", reject);
  });
  sent.end(JSON.stringify(body));
  const answer = await answered;
  answer.resume();
  return answer.statusCode ?? 0;
}

/** Places calls until one is judged as expected. @returns how long that took. Milliseconds */
async function becomes({ place }: Scene, filter: Filter, expected: string): Promise<number> {
  const begun = performance.now();
  let judged = "";
  while (judged !== expected && performance.now() - begun < PATIENCE)
    judged = await place.placeCall(filter.sipPort, listed);
  return judged === expected ? performance.now() - begun : Infinity;
}

if (noRedis !== undefined) t.pass("filters that share orders", { skip: noRedis });
else
  void t.test("an order given to one filter holds on the other one", async (t) => {
    const scene = await openScene(t);
    const { place, run } = scene;
    const terms = ["--order", "JG-1", "--reason", "a test"];
    let a = await scene.start("gw-a");
    let b = await scene.start("gw-b");
    t.ok((await becomes(scene, b, "forwarded")) < PATIENCE);

    const times: number[] = [];
    for (let round = 0; round < 10; round++)
      for (const [state, expected] of [
        ["suspended", "403"],
        ["active", "forwarded"],
      ] as const) {
        const order = { state, order: `JG-${round}`, reason: "a test" };
        const given = post(scene, "gw-a", "/api/lines/trunk/lease", order);
        times.push(await becomes(scene, b, expected));
        t.equal(await given, 200);
      }
    const half = times.toSorted((one, other) => one - other)[times.length / 2] ?? Infinity;
    const most = Math.max(...times);
    t.ok(half < MOST, `half of 20 orders held on the other node within ${half.toFixed(0)} ms of being given`);
    t.comment(`all of them within ${most.toFixed(0)} ms`);
    const suspended = await run("gw-a", "line", "suspend", "lease", ...terms);
    t.equal(suspended.code, 0, suspended.stderr);
    await becomes(scene, b, "403");
    t.match(await b.logged(["line order", '"line":"trunk:lease"']), '"node":"gw-a"');

    await scene.kill(b);
    scene.forgetDisk("gw-b");
    b = await scene.start("gw-b");
    t.equal(await place.placeCall(b.sipPort, listed), "403", "the order is in Redis, and not on the disk");

    await scene.kill(b);
    t.equal((await run("gw-a", "line", "open", "lease", ...terms)).code, 0);
    b = await scene.start("gw-b");
    t.equal(
      await place.placeCall(b.sipPort, listed),
      "forwarded",
      "the disk had the order; it was taken away",
    );

    const caller = `caller:+86${listed.slice(1)}@lease`;
    const order = { order: "add", subject: caller, for: "1h", reason: "a test" };
    const given = post(scene, "gw-b", "/api/quarantine", order);
    const bound = await becomes(scene, a, "403");
    t.equal(await given, 200);
    t.ok(bound < PATIENCE, `in quarantine on the other node within ${bound.toFixed(0)} ms`);
    await scene.kill(a);
    scene.forgetDisk("gw-a");
    a = await scene.start("gw-a");
    t.equal(await place.placeCall(a.sipPort, listed), "403", "in quarantine after a start without a disk");
    const list = await run("gw-a", "quarantine", "list", "--json");
    const [id] = /o[a-z0-9]+-1/u.exec(list.stdout) ?? [];
    t.type(id, "string", list.stdout);
    t.equal((await run("gw-a", "quarantine", "release", id ?? "", "--reason", "a test")).code, 0);
    t.ok(
      (await becomes(scene, b, "forwarded")) < PATIENCE,
      "released on the other node, by the id of that node",
    );

    t.equal(await a.stop(), 0);
    t.equal(await b.stop(), 0);
    t.same(
      recordsOf(scene, "gw-a").slice(-3),
      ["gw-a order suspended", "gw-a order active", "gw-a finding release"],
      "each order is in the records of the node that took it",
    );
    t.same(recordsOf(scene, "gw-b"), ["gw-b finding add"], "and in no others");
  });
