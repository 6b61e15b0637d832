// When the certificates of the listeners expire, for the metrics.
import type { AdminPair } from "../config/sigwall/admin-schema.ts";
import type { ListenAddress } from "../config/sigwall/static-schema.ts";
import { expiryOf, type TlsMaterial } from "../config/sigwall/tls-files.ts";
import type { CertificateFigure } from "../observe/figures.ts";

/** The certificates in use. */
export interface CertificateExpiry {
  /** Takes the certificates that a reload has put in force. */
  readonly renew: (tls: TlsMaterial) => void;
  readonly figures: () => readonly CertificateFigure[];
}

export function createCertificateExpiry(
  listen: readonly ListenAddress[],
  tls: TlsMaterial | undefined,
  admin: AdminPair | undefined,
): CertificateExpiry {
  const listeners = listen.filter(({ transport }) => transport === "tls").map(({ id }) => id);
  const adminEnd = admin === undefined ? undefined : expiryOf(admin.certificate);
  let end = tls === undefined ? undefined : expiryOf(tls.certificate);
  return {
    renew: ({ certificate }) => void (end = expiryOf(certificate)),
    figures: () => [
      ...listeners.flatMap((id) => (end === undefined ? [] : [figure(id, end)])),
      ...(adminEnd === undefined ? [] : [figure("admin", adminEnd)]),
    ],
  };
}

function figure(listener: string, at: number): CertificateFigure {
  return { listener, seconds: Math.round((at - Date.now()) / 1000) };
}
