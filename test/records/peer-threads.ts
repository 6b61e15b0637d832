// Checkpoints between the records threads of two filters, and ends of calls that other nodes have told.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { verifyEvidence } from "../../src/cli/evidence-verify.ts";
import { shareCheckpoints } from "../../src/records/peers/checkpoint-sharing.ts";
import { until } from "../support/until.ts";
import { NODE } from "./line-maker.ts";
import { evidenceIn, place, refusal } from "./records-place.ts";

void t.test(
  "a filter keeps the checkpoints of another one beside its evidence, and tells what it refuses",
  async (t) => {
    const [one, other] = [place(t), place(t)];
    const [mine, theirs] = [evidenceIn(one.folder), evidenceIn(other.folder)];
    const records = one.open({}, undefined, { ...mine, checkpointSeconds: 1 });
    const peer = other.open({}, undefined, theirs);
    const sent: Uint8Array[] = [];
    const told = shareCheckpoints(peer, { keep: () => undefined }, "gw-z");
    const tell = (bytes: Uint8Array, at: number): void =>
      told.kept({ node: NODE, epoch: 1 }, "checkpoint", "evidence", bytes, at);
    shareCheckpoints(records, { keep: (_kind, _subject, bytes) => void (bytes && sent.push(bytes)) }, NODE);
    records.happened(refusal(1));
    await until(() => sent.length > 0);
    tell(sent[0]!, 1);
    const kept = join(theirs.folder, "peers", `${NODE}.checkpoints`);
    await until(() => peer.figures().evidence.peers["kept"] === 1);
    t.equal(readFileSync(kept, "utf8"), readFileSync(join(mine.folder, `${NODE}.checkpoints`), "utf8"));
    tell(new TextEncoder().encode("nonsense"), 2);
    await until(() => peer.figures().evidence.peers["form"] === 1);
    await until(() =>
      other.said.some((line) => line.startsWith("error a checkpoint of node gw-a is no checkpoint")),
    );
    await records.close();
    let out = "";
    const output = { write: (text: string) => (out += text) };
    const options = {
      checkpoints: [kept],
      key: join(theirs.folder, "peers", `${NODE}.pub`),
      stdout: output,
      stderr: output,
    };
    t.equal(verifyEvidence(mine.folder, options), 0, out);
    t.match(out, "1 checkpoints were given");
  },
);

void t.test("a filter without evidence keeps none, and goes on", async (t) => {
  const { open, folder } = place(t);
  const records = open({});
  records.keepCheckpoint({ node: "gw-b", epoch: 1, at: 1, bytes: new Uint8Array(10) });
  records.endedElsewhere("no id");
  await records.close();
  t.notOk(existsSync(join(folder, "peers")));
});

void t.test("a call that another node has ended is not told as lost by the next process", async (t) => {
  const { open, folder, lines } = place(t);
  // A call is lost by the wall clock: 20 hours are more than any call of these trunks lasts.
  const begin = new Date(Date.now() - 20 * 3_600_000).toISOString();
  const [day, hour] = [begin.slice(0, 10), begin.slice(11, 13)];
  mkdirSync(join(folder, day), { recursive: true });
  const begun = (count: number): object => ({
    record: "decided",
    id: `${NODE}-k0-${count}`,
    node: NODE,
    trunk: "t",
    time: begin,
    action: "forwarded",
  });
  const text = [begun(1), begun(2)].map((line) => `${JSON.stringify(line)}\n`).join("");
  writeFileSync(join(folder, day, `${hour}-${NODE}.ndjson`), text);
  const end = {
    record: "ended",
    id: `${NODE}-k0-1`,
    node: "gw-z",
    time: begin,
    how: "released",
  };
  writeFileSync(join(folder, day, `${hour}-gw-z.ndjson`), `${JSON.stringify(end)}\n`);
  const records = open();
  await until(() => lines().some(({ how }) => how === "lost"));
  await records.close();
  t.same(
    lines()
      .filter(({ how }) => how === "lost")
      .map(({ id }) => id),
    [`${NODE}-k0-2`],
  );
});
