import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import t from "tap";
import { startFilter } from "./filter-process.ts";
import { openWorkplace } from "./workplace.ts";

const rows: readonly (readonly [options: readonly string[], output: RegExp])[] = [
  [["--from", "01087654321"], /core {3}<- INVITE [^]*core {3}<- BYE [^]*the call went through\n$/],
  [["--from", "01087654400"], /caller <- SIP\/2\.0 403 Forbidden\n[^]*refused; Reason: Q\.850;cause=21/],
  [["--from", "01087654321", "--hidden"], /caller <- SIP\/2\.0 433 Anonymity Disallowed\n[^]*refused; /],
];

void t.test("the sample call of the README goes through, and is refused, as it says", async (t) => {
  const place = await openWorkplace();
  t.teardown(place.remove);
  const filter = await startFilter(place.config);
  const { caller, core } = place.release();
  const ports = [
    "--trunk",
    caller,
    "--core",
    core,
    "--filter",
    `127.0.0.1:${filter.sipPort}`,
    "--patience",
    "60",
  ];
  for (const [options, output] of rows) {
    const child = spawn(process.execPath, ["scripts/place-call.mjs", ...ports, ...options], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    t.match(await text(child.stdout), output, options.join(" "));
  }
  t.equal(await filter.stop(), 0);
});
