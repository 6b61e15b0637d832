import { join } from "node:path";
import t from "tap";
import { runCommand, startFilter } from "./filter-process.ts";
import { openWorkplace, staticText } from "./workplace.ts";

void t.test(
  "monitor first: records and search say whom a rule would have refused, and by which row",
  async (t) => {
    const place = await openWorkplace();
    t.teardown(place.remove);
    place.write("sigwall.yaml", `${staticText}records: { folder: records }\n`);
    place.write("lists/nuisance.csv", "number\n+861066660001\n+861066660002\n");
    const rules = "{ caller-authentication: { mode: monitor }, deny-lists: { mode: monitor } }";
    const lists = "lists: { nuisance: { file: lists/nuisance.csv, kind: deny } }\n";
    place.write("policy.yaml", `${place.policy({ rules })}${lists}`);
    const filter = await startFilter(place.config);
    // With caller-authentication in monitor mode the trunk's default decides.
    for (const number of ["01087654321", "01066660002", "01066660003"])
      await place.placeCall(filter.sipPort, number);
    t.equal(await filter.stop(), 0);
    const found = async (...options: readonly string[]): Promise<string> =>
      (await runCommand(["search", "--config", place.config, ...options])).stdout;

    const denied = await found("--shadow", "deny-lists", "--json");
    t.equal(denied.trim().split("\n").length, 1);
    t.match(
      denied,
      `{"rule":"deny-lists","verdict":"reject","reason":"denylisted","number":"+861066660002","listLine":"${join(place.folder, "lists/nuisance.csv")}:3"}`,
    );
    const unlisted = await found("--shadow", "cli-not-listed");
    t.match(unlisted, "monitored: caller-authentication cli-not-listed +861066660003");
    t.match(unlisted, "monitored: caller-authentication cli-not-listed +861066660002");
    t.notMatch(unlisted, "1087654321");
  },
);
