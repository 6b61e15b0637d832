import t from "tap";
import { tlsCauseOf } from "../../src/wire/streams/tls-side.ts";

void t.test("TLS: an error of the library has one of few causes", (t) => {
  const table: readonly (readonly [code: string | undefined, cause: string])[] = [
    ["ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE", "no-certificate"],
    ["ERR_TLS_HANDSHAKE_TIMEOUT", "timeout"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "untrusted"],
    ["UNABLE_TO_GET_ISSUER_CERT", "untrusted"],
    ["SELF_SIGNED_CERT_IN_CHAIN", "untrusted"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "untrusted"],
    ["CERT_HAS_EXPIRED", "untrusted"],
    ["INVALID_PURPOSE", "untrusted"],
    ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "untrusted"],
    ["ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE", "untrusted"],
    ["ERR_SSL_NO_SHARED_CIPHER", "handshake"],
    ["ERR_SSL_UNSUPPORTED_PROTOCOL", "handshake"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "handshake"],
    ["ECONNRESET", "handshake"],
    [undefined, "handshake"],
  ];
  for (const [code, cause] of table)
    t.equal(
      tlsCauseOf(Object.assign(new Error("refused"), code === undefined ? {} : { code })),
      cause,
      code ?? "",
    );
  t.end();
});
