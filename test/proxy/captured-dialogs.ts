import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import t from "tap";
import { createSignallingReader } from "../../src/replay/signalling.ts";
import {
  basicPolicy,
  compileText,
  createTestProxy,
  header,
  headers,
  peers,
  respond,
  type Sent,
} from "../support/proxy.ts";
import { createTwins } from "../support/twins.ts";

// Dialogs of captures, played through two proxies, one of them without the byte path (src/proxy/ordinary). The peers write
// what the captured ones wrote; only what they must give back unchanged is what they were given: Via, tags of ours and
// Record-Route.

/** Captures of the repository, and of others where they are. */
const folders = ["pcaps", "../shared/captures", "../shared/torture"];

/** Everybody may call: the peers of captures have no contract with us. */
const policy = compileText(
  basicPolicy
    .replace("side: international,", "side: national, default: accept,")
    .concat("tables: { calls: 256, callers: 256, sources: 48 }\nrules: {}\n"),
);

interface Message {
  readonly from: string;
  readonly text: string;
}

/** The SIP messages of a capture, by Call-ID, in their order. */
function dialogsOf(file: string): readonly (readonly Message[])[] {
  const dialogs = new Map<string, Message[]>();
  const reader = createSignallingReader({
    message(bytes, { sourceAddress }) {
      const text = bytes.toString("latin1");
      const callId = /^(?:call-id|i)[ \t]*:[ \t]*(.*?)[ \t]*\r?$/im.exec(text)?.[1] ?? "";
      const known = dialogs.get(callId);
      if (known === undefined) dialogs.set(callId, [{ from: sourceAddress, text }]);
      else known.push({ from: sourceAddress, text });
    },
    broken: () => undefined,
    msu: () => undefined,
  });
  const bytes = readFileSync(file);
  reader.push(bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes);
  reader.end();
  return [...dialogs.values()];
}

const viaLine = /^(?:via|v)[ \t]*:.*\r\n(?:[ \t].*\r\n)*/gim;
const recordRouteLine = /^record-route[ \t]*:.*\r\n(?:[ \t].*\r\n)*/gim;

/** A captured response as the answer to what the filter sent on. */
function answer(text: string, request: string): string {
  const start = text.indexOf("\r\n") + 2;
  const given = [
    ...headers(request, "Via").map((value) => `Via: ${value}\r\n`),
    ...headers(request, "Record-Route").map((value) => `Record-Route: ${value}\r\n`),
  ].join("");
  return text.slice(0, start) + given + text.slice(start).replace(viaLine, "").replace(recordRouteLine, "");
}

/** A captured request within a dialog that goes by the filter. */
function within(text: string, route: readonly string[]): string {
  const start = text.indexOf("\r\n") + 2;
  return text.slice(0, start) + route.map((value) => `Route: ${value}\r\n`).join("") + text.slice(start);
}

/** The INVITE as a request within the dialog that its 200 has begun: nothing is changed but what must be. */
function follow(invite: string, method: string, ok: string): string {
  const tag = /;tag=([^;\r]+)/i.exec(header(ok, "To") ?? "")?.[1] ?? "";
  const head = invite
    .slice(0, invite.indexOf("\r\n\r\n") + 4)
    .replace(/^INVITE/, method)
    .replace(/^(cseq[ \t]*:[ \t]*\d+[ \t]+)INVITE/im, `$1${method}`)
    .replace(/^(?:content-length|l|content-type|c)[ \t]*:.*\r\n/gim, "")
    .replace(/^(?:record-route|route)[ \t]*:.*\r\n(?:[ \t].*\r\n)*/gim, "")
    .replace(/^((?:to|t)[ \t]*:.*(?:\r\n[ \t].*)*)\r\n/im, `$1;tag=${tag}\r\n`);
  return within(head, headers(ok, "Record-Route"));
}

const isInvite = (text: string): boolean => text.startsWith("INVITE ");
const methodOf = (text: string): string => /^cseq[ \t]*:[ \t]*\d+[ \t]+(\S+)/im.exec(text)?.[1] ?? "";

void t.test("captured dialogs: the same octets, events and rows with the byte path and without it", (t) => {
  const counts = { captures: 0, dialogs: 0, messages: 0, taken: 0, handedOn: 0 };
  for (const folder of folders) {
    if (!existsSync(folder)) {
      t.comment(`${folder} is not here: left out`);
      continue;
    }
    for (const name of readdirSync(folder).filter((each) => /\.(?:pcap|pcapng|cap)(?:\.gz)?$/.test(each))) {
      counts.captures++;
      for (const dialog of dialogsOf(join(folder, name))) {
        const caller = dialog.find(({ text }) => isInvite(text))?.from;
        /** The INVITE that was sent on, as it came and as it left. */
        let invite = { came: "", left: "" };
        const twins = createTwins((ordinary) => createTestProxy(policy, { ordinary, ledgerSize: 64 }));
        let route: readonly string[] = [];
        /** What the filter sent on last, by CSeq method. */
        const sentOn = new Map<string, string>();
        try {
          for (const { from, text } of dialog) {
            const isCaller = from === caller;
            const place = isCaller ? peers.abroad : peers.core;
            const isAnswer = text.startsWith("SIP/2.0");
            const request = sentOn.get(methodOf(text));
            if (isAnswer && request === undefined) continue;
            const isFirst = isInvite(text) && route.length === 0;
            const said = isAnswer ? answer(text, request!) : isFirst ? text : within(text, route);
            const sent: readonly Sent[] = twins.receive(place, said);
            counts.messages++;
            for (const { text: out } of sent) {
              if (!out.startsWith("SIP/2.0")) sentOn.set(methodOf(out), out);
              if (isFirst && isInvite(out)) invite = { came: said, left: out };
              const recorded = headers(out, "Record-Route");
              if (route.length === 0 && recorded.length > 0 && isAnswer) route = recorded;
            }
          }
          // The usual call over the same INVITE, whatever the capture has of it.
          if (invite.left !== "") {
            for (const status of [100, 180]) twins.receive(peers.core, respond(invite.left, status));
            const [ok] = twins.receive(peers.core, respond(invite.left, 200));
            for (const method of ["ACK", "INFO", "BYE"]) {
              if (ok === undefined) break;
              const [out] = twins.receive(peers.abroad, follow(invite.came, method, ok.text));
              if (method !== "ACK" && out !== undefined) twins.receive(peers.core, respond(out.text, 200));
              counts.messages += 2;
            }
            counts.messages += 3;
          }
        } catch (error) {
          t.fail(`${name}: ${error instanceof Error ? error.message.slice(0, 2000) : String(error)}`);
        }
        counts.dialogs++;
        counts.taken += twins.tally.taken;
        counts.handedOn += twins.tally.handedOn;
      }
    }
  }
  t.ok(counts.captures > 0 && counts.taken > 0, JSON.stringify(counts));
  t.comment(JSON.stringify(counts));
  t.end();
});
