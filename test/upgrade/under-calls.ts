// An upgrade from 0.1.0 while calls stand, and the way back: both programs run, on the same ports and with the same key.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { readSnapshot } from "../../src/calls/call-snapshot.ts";
import { openStage, type Stage } from "../cli/call-stage.ts";
import { type Filter, program, runCommand, startFilter } from "../cli/filter-process.ts";
import { header, headers, respond } from "../support/proxy.ts";
import { buildFormer } from "./former-build.ts";

const former = buildFormer();

async function start(t: Test, { place }: Stage, main: string): Promise<Filter> {
  const filter = await startFilter(place.config, [], main);
  t.teardown(() => filter.signal("SIGKILL"));
  return filter;
}

/** The fields of a request inside the dialog of an answered call, from the calling side. */
async function insideOf({ caller }: Stage, callId: string, cseq: string): Promise<readonly string[]> {
  const answered = await caller.heard(callId, "SIP/2.0 200 ");
  return [
    ...headers(answered, "Record-Route")
      .toReversed()
      .map((route) => `Route: ${route}`),
    `To: ${header(answered, "To") ?? ""}`,
    `CSeq: ${cseq}`,
  ];
}

async function acknowledge(stage: Stage, callId: string): Promise<void> {
  stage.caller.send(stage.request("ACK", callId, await insideOf(stage, callId, "1 ACK")));
}

/** Sends a BYE from the called side; its route set is that of the INVITE. */
async function hangUpCalled({ core, caller }: Stage, callId: string): Promise<void> {
  const invite = await core.heard(callId, "INVITE ");
  const answered = await caller.heard(callId, "SIP/2.0 200 ");
  core.send(
    [
      `BYE ${(header(invite, "Contact") ?? "").slice(1, -1)} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${core.port};branch=z9hG4bK-${callId}-called`,
      "Max-Forwards: 70",
      ...headers(invite, "Record-Route").map((route) => `Route: ${route}`),
      `From: ${header(answered, "To") ?? ""}`,
      `To: ${header(invite, "From") ?? ""}`,
      `Call-ID: ${callId}`,
      "CSeq: 1 BYE",
      "Content-Length: 0",
      "",
      "",
    ].join("\r\n"),
  );
  caller.send(respond(await caller.heard(callId, "BYE "), 202));
  await core.heard(callId, "SIP/2.0 202 ");
}

/** The calling side gives up; the CANCEL has the branch of the INVITE, in front of the filter and behind it. */
async function cancel({ core, caller, request }: Stage, callId: string): Promise<readonly string[]> {
  const invite = await core.heard(callId, "INVITE ");
  const own = headers(invite, "Via")[1] ?? "";
  const fields = ["To: <sip:02787654321@127.0.0.1>", "CSeq: 1 CANCEL"];
  caller.send(request("CANCEL", callId, fields).replace(/^Via: .*$/mu, `Via: ${own}`));
  const cancelled = await core.heard(callId, "CANCEL ");
  core.send(respond(invite, 487));
  await caller.heard(callId, "SIP/2.0 487 ");
  return [invite, cancelled].map((text) => /branch=([^;]+)/u.exec(header(text, "Via") ?? "")?.[1] ?? "");
}

async function playUpgrade(t: Test, formerProgram: string): Promise<void> {
  const stage = await openStage(t);
  const { place, placeCall, answer, hangUp, caller, core, request } = stage;
  const first = await start(t, stage, formerProgram);
  for (const callId of ["talks", "called-ends"]) {
    await placeCall(callId, true);
    await acknowledge(stage, callId);
    await core.heard(callId, "ACK ");
  }
  for (const callId of ["rings", "given-up", "refused", "unacknowledged"]) await placeCall(callId, false);
  await answer("unacknowledged", 200);
  t.equal(await first.stop(), 0);
  t.notOk(existsSync(join(place.folder, "state")), "0.1.0 keeps no state");

  const second = await start(t, stage, program);
  t.notMatch(second.output(), "restored");
  await acknowledge(stage, "unacknowledged");
  t.ok(await core.heard("unacknowledged", "ACK "), "the ACK of a 200 that the filter before forwarded");
  await answer("rings", 200);
  await acknowledge(stage, "rings");
  t.ok(await core.heard("rings", "ACK "), "200 and ACK of a call that rang");
  await answer("refused", 486);
  t.pass("a refusal of a call that rang");
  const [invited, cancelled] = await cancel(stage, "given-up");
  t.equal(cancelled, invited, "CANCEL, to the transaction of the INVITE");

  caller.send(request("INVITE", "talks", await insideOf(stage, "talks", "2 INVITE"), "sip:again@127.0.0.1"));
  core.send(respond(await core.heard("talks", "INVITE sip:again@"), 299));
  t.ok(await caller.heard("talks", "SIP/2.0 299 "), "re-INVITE");
  const forged = [...(await insideOf(stage, "talks", "3 INVITE")), "P-Asserted-Identity: <tel:95588>"];
  caller.send(request("INVITE", "talks", forged));
  t.ok(await caller.heard("talks", "SIP/2.0 403 "), "a re-INVITE with another caller is judged");
  for (const callId of ["talks", "rings", "unacknowledged"]) await hangUp(callId);
  t.pass("BYE of the calling side");
  await hangUpCalled(stage, "called-ends");
  t.pass("BYE of the called side");
  t.equal(await second.stop(), 0);
}

async function playWayBack(t: Test, formerProgram: string): Promise<void> {
  const stage = await openStage(t);
  const { place, placeCall, answer, hangUp, caller, core, request, snapshot } = stage;
  const first = await start(t, stage, program);
  for (const callId of ["talks", "called-ends"]) await placeCall(callId, true);
  for (const callId of ["rings", "given-up"]) await placeCall(callId, false);
  t.equal(await first.stop(), 0);
  const kept = readFileSync(snapshot);
  let calls = 0;
  readSnapshot(kept, () => calls++);
  t.equal(calls, 4, "the snapshot has them");

  const second = await start(t, stage, formerProgram);
  await answer("rings", 200);
  t.pass("answers to calls that rang arrive");
  const [invited, cancelled] = await cancel(stage, "given-up");
  t.equal(cancelled, invited, "CANCEL arrives, to the transaction of the INVITE");
  for (const callId of ["talks", "rings"]) {
    await acknowledge(stage, callId);
    caller.send(request("BYE", callId, await insideOf(stage, callId, "2 BYE")));
    const refused = await caller.heard(callId, "SIP/2.0 481 ");
    t.match(header(refused, "CSeq"), "2 BYE", `${callId}: BYE of the calling side gets 481`);
  }
  await hangUpCalled(stage, "called-ends");
  t.pass("BYE of the core passes: it needs no proof");
  await placeCall("new", true);
  await hangUp("new");
  t.pass("new calls pass");
  const heard = ["talks", "rings"].flatMap((callId) => core.all(callId));
  t.notOk(
    heard.some((text) => text.startsWith("ACK ")),
    "an ACK of the calling side is dropped",
  );
  t.equal(await second.stop(), 0);
  t.same(readFileSync(snapshot), kept, "the state folder is as it was");

  const third = await start(t, stage, program);
  await third.logged(["restored 4 calls"]);
  await hangUp("talks");
  t.pass("and with 0.2.0 again, BYE passes");
  t.equal(await third.stop(), 0);

  writeFileSync(place.config, `${readFileSync(place.config, "utf8")}node: gw-a\n`);
  const { code, stdout } = await runCommand(["check", "--config", place.config], formerProgram);
  t.equal(code, 1, "0.1.0 refuses a configuration with keys of 0.2.0");
  t.match(stdout, 'unknown key "node"');
}

if ("missing" in former) t.pass("upgrade from 0.1.0", { skip: former.missing });
else {
  t.teardown(former.remove);
  void t.test("from 0.1.0 to today: calls in progress go on", (t) => playUpgrade(t, former.program));
  void t.test("and back: what becomes of calls that began today", (t) => playWayBack(t, former.program));
}
