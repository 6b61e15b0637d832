import {
  IncomingRequestMessage,
  IncomingResponseMessage,
  LoggerFactory,
  Parser,
  UserAgentCore,
  type IncomingInviteRequest,
  type OutgoingInviteRequest,
} from "sip.js/lib/core/index.js";
import { URI } from "sip.js/lib/grammar/uri.js";
import type { SipTransport } from "../../src/domain/trunk.ts";
import { openWire, type Identity } from "./wire.ts";

/** What the called side does with a call. */
export type Answering = "answer" | "busy" | "ring" | "early-media" | "no-answer" | "answer-and-hang-up";

/** Every offer and answer: what counts is that it arrives as it was sent. */
export const sdp = {
  contentDisposition: "session",
  contentType: "application/sdp",
  content: "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns= \t \r\n",
};

/** One call as its calling side saw it end. */
export interface CallResult {
  /** Final status of the INVITE. */
  readonly status: number;
  readonly reason: string | undefined;
  readonly provisional: readonly number[];
  /** Status of the BYE that this side sent, or 0. */
  readonly byeStatus: number;
  /** True when the other side hung up. */
  readonly hungUp: boolean;
}

export interface PlacedCall {
  /** User part of the From URI. */
  readonly from: string;
  readonly fromHost?: string;
  readonly headers?: readonly string[];
  /** Send the INVITE twice, as if the first one had not been answered in time. */
  readonly repeat?: boolean;
  /** Give up after the first provisional response that is not 100. */
  readonly cancel?: boolean;
}

/** A user agent on loopback with SIP.js's transaction and dialog layers: nobody of this project wrote them. */
export interface SipJsPeer {
  readonly port: number;
  /** Where everything is sent: the filter. */
  proxy: { address: string; port: number };
  answering: Answering;
  /** True: every INVITE is sent twice. */
  repeats: boolean;
  /** INVITEs that arrived, and how dialogs went on this side. */
  readonly seen: { invites: IncomingInviteRequest[]; byes: number; cancels: number; bodies: string[] };
  call(user: string, call: PlacedCall): Promise<CallResult>;
  close(): Promise<void>;
}

/** Opens a peer at `address`; it answers calls to `user`, and lies about nothing. `identity` is for TLS. */
export async function openSipJsPeer(
  user: string,
  address = "127.0.0.1",
  transport: SipTransport = "udp",
  identity?: Identity,
): Promise<SipJsPeer> {
  const wire = await openWire(transport, address, (text) => hear(text), identity);
  const { port } = wire;
  const host = address.includes(":") ? `[${address}]` : address;
  const loggerFactory = new LoggerFactory();
  loggerFactory.builtinEnabled = false;
  const logger = loggerFactory.getLogger("peer");
  const contact = new URI("sip", user, host, port, transport === "udp" ? {} : { transport });
  const seen: SipJsPeer["seen"] = { invites: [], byes: 0, cancels: 0, bodies: [] };

  const core = new UserAgentCore(
    {
      aor: new URI("sip", user, host),
      contact: {
        pubGruu: undefined,
        tempGruu: undefined,
        uri: contact,
        toString: () => `<${contact.toString()}>`,
      },
      displayName: "",
      loggerFactory,
      hackViaTcp: false,
      routeSet: [],
      sipjsId: user.slice(-5),
      supportedOptionTags: [],
      supportedOptionTagsResponse: [],
      userAgentHeaderFieldValue: "peer",
      viaForceRport: false,
      viaHost: `${host}:${port}`,
      authenticationFactory: () => undefined,
      transportAccessor: () => ({
        protocol: transport.toUpperCase(),
        send: async (message: string) => {
          wire.send(message, peer.proxy);
          if (peer.repeats && message.startsWith("INVITE ")) wire.send(message, peer.proxy);
        },
      }),
    },
    { onInvite: (request) => takeCall(request, peer) },
  );

  function hear(text: string): void {
    const message = Parser.parseMessage(text, logger);
    if (message instanceof IncomingRequestMessage) core.receiveIncomingRequestFromTransport(message);
    else if (message instanceof IncomingResponseMessage) core.receiveIncomingResponseFromTransport(message);
  }

  const peer: SipJsPeer = {
    port,
    proxy: { address: "127.0.0.1", port: 0 },
    answering: "answer",
    repeats: false,
    seen,
    call: (called, call) => placeCall(core, peer, contact.toString(), host, called, call),
    close: () => {
      core.dispose();
      return wire.close();
    },
  };
  return peer;
}

function takeCall(request: IncomingInviteRequest, peer: SipJsPeer): void {
  peer.seen.invites.push(request);
  peer.seen.bodies.push(request.message.body);
  request.delegate = {
    onCancel: () => {
      peer.seen.cancels++;
      request.reject({ statusCode: 487 });
    },
  };
  request.trying();
  if (peer.answering === "busy") {
    request.reject({ statusCode: 486 });
    return;
  }
  if (peer.answering === "early-media") request.progress({ statusCode: 183, body: sdp });
  else request.progress({ statusCode: 180 });
  if (peer.answering === "ring") return;
  if (peer.answering === "no-answer") {
    request.reject({ statusCode: 480 });
    return;
  }
  const { session } = request.accept({ statusCode: 200, body: sdp });
  session.delegate = {
    onBye: (bye) => {
      peer.seen.byes++;
      bye.accept();
    },
    onAck: () => {
      if (peer.answering === "answer-and-hang-up") session.bye();
    },
  };
}

function placeCall(
  core: UserAgentCore,
  peer: SipJsPeer,
  contact: string,
  host: string,
  called: string,
  call: PlacedCall,
): Promise<CallResult> {
  const proxyHost = peer.proxy.address.includes(":") ? `[${peer.proxy.address}]` : peer.proxy.address;
  const target = new URI("sip", called, proxyHost, peer.proxy.port);
  const from = new URI("sip", call.from, call.fromHost ?? host);
  const message = core.makeOutgoingRequestMessage(
    "INVITE",
    target,
    from,
    target,
    {},
    [`Contact: <${contact}>`, ...(call.headers ?? [])],
    sdp,
  );
  const provisional: number[] = [];
  peer.repeats = call.repeat === true;
  return new Promise((ended) => {
    const finish = (status: number, reason: string | undefined, byeStatus: number, hungUp: boolean): void =>
      ended({ status, reason, provisional, byeStatus, hungUp });
    const outgoing: OutgoingInviteRequest = core.invite(message, {
      onTrying: () => provisional.push(100),
      onProgress: (response) => {
        provisional.push(response.message.statusCode ?? 0);
        if (call.cancel === true) outgoing.cancel();
      },
      onReject: (response) =>
        finish(response.message.statusCode ?? 0, response.message.getHeader("Reason"), 0, false),
      onRedirect: (response) =>
        finish(response.message.statusCode ?? 0, response.message.getHeader("Contact"), 0, false),
      onAccept: (response) => {
        const { session } = response;
        session.delegate = {
          onBye: (bye) => {
            bye.accept();
            finish(200, undefined, 0, true);
          },
        };
        response.ack();
        if (peer.answering !== "answer-and-hang-up") {
          session.bye({
            onAccept: (answer) => finish(200, undefined, answer.message.statusCode ?? 0, false),
            onReject: (answer) => finish(200, undefined, answer.message.statusCode ?? 0, false),
          });
        }
      },
    });
  });
}
