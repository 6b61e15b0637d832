import {
  basicPolicy,
  compileText,
  createTestProxy,
  header,
  request,
  respond,
  type Sent,
  type TestProxy,
} from "./proxy.ts";

/** Three next hops behind the filter. */
export const hop = { a: "198.51.100.1:5060", b: "198.51.100.2:5060", c: "198.51.100.3:5060" };

/** Probes every 10 s that wait 2 s; three misses are down, two answers up; a minute at most. */
export const usualHealth = "nextHopHealth: {}";

/** The policy of the other tests; the trunk `lease` has `nextHops` as written, and the core is all of 198.51.100.0/24. */
export function policyWith(nextHops: string, more = usualHealth, ofTrunk = ""): string {
  const one = 'areaCode: "10", nextHops: ["sip:198.51.100.1:5060"]';
  return `${basicPolicy
    .replace(one, `areaCode: "10", nextHops: ${nextHops}${ofTrunk}`)
    .replace("addresses: [198.51.100.1,", "addresses: [198.51.100.0/24,")}${more}\n`;
}

export function createHopProxy(
  nextHops: string,
  more?: string,
  ofTrunk?: string,
  options: { failoverSize?: number } = {},
): TestProxy {
  return createTestProxy(compileText(policyWith(nextHops, more, ofTrunk)), options);
}

/** What a next hop does with OPTIONS: a status, or silence. */
export type Answers = Readonly<Record<string, number | undefined>>;

/** Lets time pass while every next hop answers OPTIONS as it does; returns everything else that was sent, and how many OPTIONS. */
export function live(
  proxy: TestProxy,
  millis: number,
  answers: Answers = {},
): { readonly sent: Sent[]; readonly probes: readonly string[] } {
  const sent: Sent[] = [];
  const probes: string[] = [];
  for (const end = proxy.now + millis; proxy.now < end;) {
    for (const message of proxy.pass(100)) {
      if (!message.text.startsWith("OPTIONS ")) {
        sent.push(message);
        continue;
      }
      probes.push(message.to);
      const status = answers[message.to];
      if (status !== undefined) proxy.receive(message.to, respond(message.text, status));
    }
  }
  return { sent, probes };
}

/** An INVITE of the lessee that begins call `number`. */
export function invite(number: number, callId = `call-${number}`): string {
  return request({ callId, via: [`SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKcall${number}`] });
}

/** ACK or CANCEL of call `number`. */
export function follow(method: "ACK" | "CANCEL", number: number, callId = `call-${number}`): string {
  return request({
    method,
    cseq: `1 ${method}`,
    callId,
    to: method === "ACK" ? "<sip:02787654321@192.0.2.1>;tag=called" : "<sip:02787654321@192.0.2.1>",
    via: [`SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKcall${number}`],
    headers: [],
  });
}

/** "METHOD to place" or "STATUS to place" of each message. */
export function summary(sent: readonly Sent[]): string[] {
  return sent.map(({ text, to }) => {
    const [first = "", second = ""] = text.split(" ", 2);
    return `${first === "SIP/2.0" ? second : first} to ${to}`;
  });
}

/** State of a next hop of the trunk `lease`. */
export function stateOf(proxy: TestProxy, id: string): string {
  return proxy.nextHops().find((each) => each.trunk === "lease" && each.id === id)?.state ?? "gone";
}

/** Branch of the top Via. */
export function branchOf(text: string): string {
  return /branch=([^;\s]+)/u.exec(header(text, "Via") ?? "")?.[1] ?? "";
}
