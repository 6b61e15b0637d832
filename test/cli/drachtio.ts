import t from "tap";
import { openTestDrachtio } from "../support/drachtio-server.ts";
import { runCommand, startFilter } from "./filter-process.ts";
import { openWorkplace } from "./workplace.ts";

/** Ends in a promise that nobody waits for whenever the process is told to. */
const careless = "process.on('SIGUSR2',()=>{Promise.reject(new(Error)('nobody-waits'))})";

void t.test("run: by drachtio, from check to the end", async (t) => {
  const server = await openTestDrachtio();
  const place = await openWorkplace();
  t.teardown(place.remove);
  const id = `${server.host}:${server.adminPort}`;
  place.write(
    "sigwall.yaml",
    [
      "engine: drachtio",
      `listen: ["udp:127.0.0.1:${server.sipPort}"]`,
      `drachtio: { servers: [{ port: ${server.adminPort}, secret: ${server.secret} }] }`,
      "admin: 127.0.0.1:0",
      "policy: policy.yaml",
      "keyFile: own.key",
      "",
    ].join("\n"),
  );
  const checked = await runCommand(["check", "--config", place.config]);
  t.equal(checked.code, 0);
  t.match(checked.stdout, `engine     drachtio on udp:127.0.0.1:${server.sipPort}\n           by ${id}\n`);
  t.match(checked.stdout, "can't: silence, exact bytes, removing header fields, judging inside dialogs");
  t.match(checked.stdout, "warning: engine drachtio can't remove display names");

  process.env["NODE_OPTIONS"] = `--import=data:text/javascript,${careless}`;
  const filter = await startFilter(place.config);
  delete process.env["NODE_OPTIONS"];
  const up: unknown = JSON.parse(await filter.logged(["sigwall is up"]));
  t.match(up, { listening: [`drachtio ${id}`], sockets: "none" }, "no SIP socket is open");
  t.match(JSON.parse(await filter.logged(["drachtio server is connected"])), { server: id });
  t.equal((await fetch(`${filter.admin}/readyz`)).status, 200);
  t.equal(await place.placeCall(server.sipPort, "01087654321"), "forwarded");
  t.equal(await place.placeCall(server.sipPort, "01087654400"), "403");
  await filter.logged(["call refused", "cli-not-listed"]);

  place.write("policy.yaml", place.policy().replace("lessee: own", "lessee: own\n    strip: [Subject]"));
  await filter.logged(["reload failed"]);
  await filter.logged(["engine drachtio can't remove header fields"]);
  t.equal(await place.placeCall(server.sipPort, "01087654321"), "forwarded", "by the policy before it");

  filter.signal("SIGUSR2");
  await filter.logged(["internal fault", "nobody-waits"]);
  const metrics = await (await fetch(`${filter.admin}/metrics`)).text();
  t.match(metrics, "sigwall_faults_total 1\n", "a promise that nobody waits for ends nothing");
  t.match(metrics, `sigwall_drachtio_up{server="${id}"} 1\n`);
  t.match(metrics, 'sigwall_sockets_info{kind="none"} 1\n');
  t.match(metrics, 'sigwall_unjudged_attempts_total{report="attempt"} 0\n');

  server.hangUp();
  await filter.logged(["drachtio server is not connected: it answers new calls 503"]);
  t.equal(await filter.stop(), 0, "exit code after SIGTERM");
  await server.close();
});
