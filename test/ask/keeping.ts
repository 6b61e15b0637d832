// A process that keeps one policy again and again, as a node does at each reload: POLICY FOLDER NODE COUNT.
import { loadPolicy } from "../../src/config/load-policy.ts";
import { readFromDisk } from "../../src/app/read-file.ts";
import { keepPolicy } from "../../src/records/policies/policy-keeping.ts";

const [path = "", folder = "", node = "", count = "1"] = process.argv.slice(2);
const { material, issues } = loadPolicy(readFromDisk, path);
if (material === undefined) throw new Error(JSON.stringify(issues));
const surroundings = { engine: "embedded", listeners: [] } as const;
for (let second = 0; second < Number(count); second++) {
  const why = keepPolicy(
    { folder, node },
    material,
    surroundings,
    readFromDisk,
    Date.UTC(2026, 9, 3, 8, 0, second),
  );
  if (why !== undefined) throw new Error(why);
}
