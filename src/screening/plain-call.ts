// Tells which calls are plain: one shown number and nothing else that most rules look for.
import type { CallAttempt } from "../domain/attempt.ts";

/**
 * True for a call of SIP that asserts one number, shown in every field that asserts a caller, From among them, without
 * a name, a diverting party, a wish for privacy or a body that nobody reads. Nearly every call is plain. Rules
 * that find nothing in any plain call say so (`silentWhenPlain`) and are not asked.
 */
export function isPlainCall(attempt: CallAttempt): boolean {
  if (attempt.privacy !== 0 || attempt.diversion.length > 0) return false;
  if (attempt.unreadBody !== undefined || attempt.isIam !== undefined || attempt.circuit !== undefined)
    return false;
  if (attempt.names !== undefined) return false;
  let key: number | undefined;
  let isShownByFrom = false;
  for (const { source, number, presentation, display, party } of attempt.calling) {
    if (number.kind === "unusable" || presentation !== "allowed") return false;
    if (display !== undefined || party !== undefined) return false;
    if (key !== undefined && number.key !== key) return false;
    key = number.key;
    isShownByFrom ||= source === "from";
  }
  return isShownByFrom;
}
