// The area of a called number: its area code, and the area codes of a province.
import type { PartyNumber } from "../../domain/number.ts";
import { provinces } from "./provinces.data.ts";

const DIGIT_0 = 0x30;
/** The digits of the country code stand before the area code. */
const COUNTRY = 2;

/** No area code is this or more. */
export const MOST_AREA = 1000;

/**
 * Returns the area code of a fixed number of home as a number: 10, 755. A mobile number, a code and a foreign number
 * have none: the plan assigns mobile numbers to operators, not to areas.
 * @returns 0 for a number without area code
 */
export function areaOf(number: PartyNumber): number {
  if (number.kind !== "e164" || number.class !== "fixed") return 0;
  const { e164 } = number;
  const first = e164.charCodeAt(COUNTRY) - DIGIT_0;
  const two = first * 10 + e164.charCodeAt(COUNTRY + 1) - DIGIT_0;
  // Area codes of two digits begin with 1 or 2, those of three digits with 3 to 9.
  return first <= 2 ? two : two * 10 + e164.charCodeAt(COUNTRY + 2) - DIGIT_0;
}

/** What follows the name proper of a province. */
const suffixes = ["省", "市", "自治区", "壮族自治区", "回族自治区", "维吾尔自治区"];

/**
 * Returns the area codes of a province by its name, with or without 省, 市 or 自治区.
 * @returns undefined when the plan has no such province
 */
export function areasOfProvince(name: string): readonly string[] | undefined {
  const wanted = name.trim();
  return provinces
    .find(
      ({ province }) => province === wanted || suffixes.some((suffix) => province === `${wanted}${suffix}`),
    )
    ?.codes.split(" ");
}

/** The full names of the provinces. */
export const provinceNames: readonly string[] = provinces.map(({ province }) => province);
