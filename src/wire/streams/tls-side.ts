// TLS on accepted and on our own connections.
import { constants } from "node:crypto";
import { Socket } from "node:net";
import {
  connect,
  createSecureContext,
  createServer,
  type SecureContextOptions,
  type TLSSocket,
} from "node:tls";
import type { TlsRefusal } from "../../observe/stream-counters.ts";
import type { Millis } from "../../domain/time.ts";
import type { TlsMaterial } from "../../config/sigwall/tls-files.ts";
import { readCertificateNames, type CertificateNames } from "./certificate-names.ts";

/** The target of a connection, and the local address that it begins at. */
export interface TlsPlace {
  readonly host: string;
  readonly port: number;
  readonly localAddress?: string;
}

/**
 * TLS on accepted and on our own connections, with certificates that can be replaced at any time.
 */
export interface TlsSide {
  /** Begins the handshake on an accepted socket. */
  accept(socket: Socket): void;
  /** Connects and verifies the certificate. The caller judges the names in it. */
  connect(place: TlsPlace): TLSSocket;
  /** Uses other certificates for new connections; open ones stay as they are. */
  renew(material: TlsMaterial): void;
}

/** What the TLS side calls about accepted connections. */
export interface TlsHandlers {
  readonly secured: (socket: TLSSocket) => void;
  /**
   * Called when the handshake with a peer failed or took too long. `peer` still knows its address. `why`: the words of
   * the TLS library.
   */
  readonly failed: (peer: Socket, cause: TlsRefusal, why: string) => void;
}

/** Makes the TLS side of a port. `handshakeTimeout`: longest time for a whole handshake. */
export function createTlsSide(first: TlsMaterial, handshakeTimeout: Millis, handlers: TlsHandlers): TlsSide {
  let context = createSecureContext(optionsOf(first));
  const { clientCertificate } = first;
  const server = createServer(
    {
      ...optionsOf(first),
      requestCert: clientCertificate !== "none",
      rejectUnauthorized: clientCertificate === "require",
      handshakeTimeout,
    },
    handlers.secured,
  );
  server.on("tlsClientError", (error: Error, socket) => {
    const carrier = carrierOf(socket);
    // Where a certificate does not hold, Node ends the connection itself, and its error tells nothing of the reason.
    const distrust: unknown = socket.authorizationError;
    if (typeof distrust === "string" || distrust instanceof Error)
      handlers.failed(carrier, "untrusted", String(distrust));
    else handlers.failed(carrier, tlsCauseOf(error), tlsWordsOf(error));
    socket.destroy();
  });
  return {
    accept: (socket) => void server.emit("connection", socket),
    connect: (place) =>
      connect({
        ...place,
        secureContext: context,
        rejectUnauthorized: true,
        // The target is an address and no host name. The policy decides who may be there.
        checkServerIdentity: () => undefined,
      }),
    renew(material) {
      context = createSecureContext(optionsOf(material));
      server.setSecureContext(optionsOf(material));
    },
  };
}

/** Returns the socket that TLS runs on. A TLS socket forgets the address of its peer when it is destroyed. */
function carrierOf(socket: TLSSocket): Socket {
  const carrier: unknown = Reflect.get(socket, "_parent");
  return carrier instanceof Socket ? carrier : socket;
}

/** Returns the words of an error of the TLS library, without its places in the source. */
export function tlsWordsOf(error: Error): string {
  return "reason" in error && typeof error.reason === "string" ? error.reason : error.message;
}

/** Reads why a handshake failed out of the error of the TLS library. */
export function tlsCauseOf(error: Error): TlsRefusal {
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (code.includes("PEER_DID_NOT_RETURN_A_CERTIFICATE")) return "no-certificate";
  if (code === "ERR_TLS_HANDSHAKE_TIMEOUT") return "timeout";
  return untrusted.some((word) => code.includes(word)) ? "untrusted" : "handshake";
}

/** Parts of the codes of OpenSSL for a certificate that does not hold, and of the alerts of a peer that found so. */
const untrusted = ["CERT", "SELF_SIGNED", "UNABLE_TO_", "UNKNOWN_CA", "CRL", "PURPOSE", "PATH_LENGTH"];

function optionsOf({ certificate, key, ca, minVersion }: TlsMaterial): SecureContextOptions {
  return {
    cert: certificate,
    key,
    ca,
    minVersion,
    // A resumed session would prove a certificate that may have been withdrawn since.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

/**
 * Returns what the peer's certificate proves. Empty when it showed none, or none that our
 * authorities vouch for.
 */
export function provenNames(socket: TLSSocket): CertificateNames {
  return socket.authorized ? readCertificateNames(socket.getPeerCertificate()) : { names: [], addresses: [] };
}
