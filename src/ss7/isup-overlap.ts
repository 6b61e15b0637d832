// Tells whether the called number of an IAM is complete, and writes the IAM with the digits that followed it.
import { Buffer } from "node:buffer";
import type { IsupMessage } from "./isup.ts";

/** The address signal that ends a number (Q.763 section 3.9 g). */
const END_OF_PULSING = 15;
const ODD = 0x80;

/** @returns true when the called number of an IAM ends with the signal of end of pulsing: no SAM follows */
export function isComplete({ bytes, variableStart, variableEnd }: IsupMessage): boolean {
  if (variableStart < 0 || variableEnd <= variableStart + 2) return false;
  const last = bytes[variableEnd - 1]!;
  const isOdd = (bytes[variableStart]! & ODD) !== 0;
  return (isOdd ? last & 15 : last >>> 4) === END_OF_PULSING;
}

/** Octets of an IAM in front of its pointers. */
const FIXED = 6;

/**
 * Writes an IAM anew, with more digits at the end of its called number (Q.764 section 2.1.4).
 *
 * @param iam the message from its type on; it was read without fault in the layout of ITU
 * @param digits address signals, codes 10 to 15 as `A` to `F`
 */
export function appendDigits(iam: Buffer, digits: string): Buffer {
  const called = FIXED + iam[FIXED]!;
  const end = called + 1 + iam[called]!;
  const nature = iam[called + 1]!;
  let all = "";
  for (let at = called + 3; at < end; at += 1)
    all += `${(iam[at]! & 15).toString(16)}${(iam[at]! >>> 4).toString(16)}`;
  if ((nature & ODD) !== 0) all = all.slice(0, -1);
  all += digits;
  const isOdd = all.length % 2 === 1;
  const signals = Buffer.from(isOdd ? `${all}0` : all, "hex");
  for (const [at, pair] of signals.entries()) signals[at] = ((pair & 15) << 4) | (pair >>> 4);
  const number = Buffer.concat([
    Buffer.from([(nature & ~ODD) | (isOdd ? ODD : 0), iam[called + 2]!]),
    signals,
  ]);
  const pointer = iam[FIXED + 1]!;
  const optional = pointer === 0 ? Buffer.alloc(0) : iam.subarray(FIXED + 1 + pointer);
  const head = Buffer.from(iam.subarray(0, FIXED + 2));
  head[FIXED] = 2;
  head[FIXED + 1] = pointer === 0 ? 0 : 2 + number.length;
  return Buffer.concat([head, Buffer.from([number.length]), number, optional]);
}
