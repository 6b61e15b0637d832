// A process that appends blocks, and says what each commit has promised. It is killed by its test.
import { writeSync } from "node:fs";
import { openEvidenceLog } from "../../src/records/evidence/evidence-log.ts";
import { block, noon } from "./evidence-place.ts";

const [folder = "", keyFile = "", first = "0"] = process.argv.slice(2);
const log = openEvidenceLog({ folder, keyFile, node: "gw-a", segmentOctets: 50_000 });
let promised = Number(first);
writeSync(1, `open ${log.state().leaves} ${promised}\n`);
for (let round = 0; ; round += 1) {
  for (let i = 0; i < 1 + (round % 5); i += 1) log.append(block(`n-${(promised += 1)}`, noon + round));
  log.commit();
  writeSync(1, `promised ${log.state().leaves} ${promised}\n`);
  if (round % 4 === 3) log.checkpoint(noon + round);
}
