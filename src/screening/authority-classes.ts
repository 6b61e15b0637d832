// The classes of numbers that only public authorities may show as caller.
import type { NumberClass } from "../domain/number.ts";

/**
 * The codes of public authorities that only the service itself may show: 110 … 114, 12395, 95110,
 * 96110, 123XX (column `may_originate` of the plan data: authorised). On a lessee's trunk they need a row in its list. On
 * the trunks of other carriers nobody can tell whose call it is, so the finding is only noted.
 */
export const authorityClasses: ReadonlySet<NumberClass> = new Set<NumberClass>([
  "emergency",
  "directory",
  "anti_fraud",
  "public_service",
]);
