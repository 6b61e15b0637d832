/** Another node of the cluster that is measured: it has the same calls as that one, under other keys, as if half of the traffic came by it. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { openExchange } from "../../src/app/cluster/open-exchange.ts";
import { HEAD, Item, ITEM_HEAD } from "../../src/cluster/batch-layout.ts";
import { readRedisUrl } from "../../src/config/sigwall/redis-schema.ts";
import type { Log } from "../../src/observe/log.ts";

const { values: options } = parseArgs({
  options: { url: { type: "string", default: "" }, key: { type: "string", default: "" } },
});
const read = readRedisUrl(options.url);
if (typeof read === "string") throw new Error(read);

const tell = (message: string, fields: object = {}): void =>
  void process.stdout.write(`${message} ${JSON.stringify(fields)}\n`);
const log: Log = {
  info: tell,
  warn: tell,
  error: tell,
  fault: (error) => tell(String(error)),
  refused: () => undefined,
  omitted: () => undefined,
};

const exchange = openExchange({
  redis: {
    place: read.place,
    database: 0,
    username: undefined,
    passwordFile: undefined,
    tls: undefined,
    prefix: "sigwall",
    requireSameRevision: false,
  },
  secret: Buffer.from(readFileSync(options.key, "latin1").trim(), "hex"),
  node: "mirror",
  epoch: Math.floor(Date.now() / 1000),
  log,
  fault: (error) => tell(String(error)),
});

/** Changes the keys of transactions in a batch, so that they are those of other calls. */
function changeKeys(batch: Uint8Array): Uint8Array {
  const bytes = Buffer.from(batch);
  for (let at = HEAD; at + ITEM_HEAD <= bytes.length;) {
    const next = at + ITEM_HEAD + bytes.readUInt16LE(at + 1);
    if (bytes[at] === Item.decision) {
      const node = at + ITEM_HEAD;
      const trunk = node + 1 + bytes[node]! + 8;
      const key = trunk + 1 + bytes[trunk]! + 8;
      const last = key + bytes[key]!;
      bytes[last] = bytes[last]! ^ 1;
    }
    at = next;
  }
  return bytes;
}

exchange.listen({
  batch: (_from, bytes) => exchange.send(changeKeys(bytes)),
  kept: () => undefined,
  peer: ({ node }, what) => tell(`${node} ${what}`),
});
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => process.exit(0));
