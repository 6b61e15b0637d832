// What kinds of ISUP messages a circuit tells apart: those that begin a call, that answer one, and that keep circuits.
import { IsupType } from "../ss7/isup.ts";

/** Messages of a call that begins. An exchange that gives way sends them for the call that was refused. */
const beginning: ReadonlySet<number> = new Set([
  IsupType.iam,
  IsupType.sam,
  IsupType.cot,
  IsupType.inf,
  IsupType.sgm,
]);

/** Messages by which an exchange takes a call of the other one (Q.764 section 2.1). */
const backward: ReadonlySet<number> = new Set([IsupType.acm, IsupType.con, IsupType.anm, IsupType.cpg]);

/**
 * BLO UBL BLA UBA GRS CGB CGU CGBA CGUA GRA CQM CQR UPT UPA: messages about circuits, not about calls (Q.763 table 4).
 */
const maintenance: ReadonlySet<number> = new Set([
  0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x29, 0x2a, 0x2b, 0x34, 0x35,
]);

/** GRS CGB CGU CGBA CGUA GRA CQM CQR: they name a range of circuits (Q.763 section 3.43). */
const ranged: ReadonlySet<number> = new Set([0x17, 0x18, 0x19, 0x1a, 0x1b, 0x29, 0x2a, 0x2b]);

export function isBeginning(type: number): boolean {
  return beginning.has(type);
}

export function isBackward(type: number): boolean {
  return backward.has(type);
}

/** True for messages about circuits, whatever calls the circuits carry. */
export function isMaintenance(type: number): boolean {
  return maintenance.has(type);
}

/** True for messages that name a range of circuits. */
export function isRanged(type: number): boolean {
  return ranged.has(type);
}
