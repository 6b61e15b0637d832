// Made by scripts/plan-data.mjs from data/e164-country-codes.csv; sources in NOTICE.

/** Country codes whose national numbers have the same possible lengths. */
export interface CountryCodeRow {
  /** Digits of the national significant number. */
  readonly lengths: readonly number[];
  /** Separated by a space. */
  readonly codes: string;
}

/** Assigned country codes (ITU-T E.164), global services and networks included. */
export const countryCodes: readonly CountryCodeRow[] = [
  {
    lengths: [7, 10],
    codes: "1 960",
  },
  {
    lengths: [8, 9, 10],
    codes: "20 60 855 856 964 970 976",
  },
  {
    lengths: [9],
    codes:
      "211 212 218 221 240 242 244 249 251 255 256 260 261 262 33 34 351 590 594 596 93 94 979 992 994 995 998",
  },
  {
    lengths: [8, 9],
    codes: "213 224 233 237 250 258 264 268 32 36 377 382 387 51 591 962 963",
  },
  {
    lengths: [8],
    codes:
      "216 222 223 226 227 228 232 235 236 253 257 266 350 356 357 370 371 373 374 389 45 505 509 800 808 973 993",
  },
  {
    lengths: [7],
    codes: "220 238 239 246 248 269 291 297 592 673 674 680 691 692",
  },
  {
    lengths: [10],
    codes: "225 52 58",
  },
  {
    lengths: [8, 10],
    codes: "229 378 506 850",
  },
  {
    lengths: [7, 8, 10],
    codes: "230 267 372",
  },
  {
    lengths: [7, 8, 9],
    codes: "231 385 967 968",
  },
  {
    lengths: [10, 11, 12, 13, 14],
    codes: "234",
  },
  {
    lengths: [7, 8],
    codes: "241 599 670 675 853 961 965 975",
  },
  {
    lengths: [7, 8, 9, 10],
    codes: "243 254 353 84",
  },
  {
    lengths: [7, 9],
    codes: "245 265 354 423",
  },
  {
    lengths: [5, 6],
    codes: "247",
  },
  {
    lengths: [6, 7, 8, 9],
    codes: "252 355",
  },
  {
    lengths: [5, 6, 7, 8, 9, 10],
    codes: "263 27 64",
  },
  {
    lengths: [4, 5],
    codes: "290",
  },
  {
    lengths: [6],
    codes: "298 299 672 687",
  },
  {
    lengths: [10, 11, 12],
    codes: "30",
  },
  {
    lengths: [5, 6, 7, 8, 9, 10, 11],
    codes: "31",
  },
  {
    lengths: [4, 5, 6, 7, 8, 9, 10, 11],
    codes: "352",
  },
  {
    lengths: [5, 6, 7, 8, 9, 10, 11, 12],
    codes: "358 971",
  },
  {
    lengths: [6, 7, 8, 9, 12],
    codes: "359",
  },
  {
    lengths: [6, 7, 8, 9, 10, 11],
    codes: "375 595",
  },
  {
    lengths: [6, 8, 9],
    codes: "376 689",
  },
  {
    lengths: [9, 10],
    codes: "380 881 966 996",
  },
  {
    lengths: [6, 7, 8, 9, 10, 11, 12],
    codes: "381 39",
  },
  {
    lengths: [8, 9, 10, 11, 12],
    codes: "383 883 92",
  },
  {
    lengths: [5, 6, 7, 8],
    codes: "386",
  },
  {
    lengths: [6, 9],
    codes: "40 508 681",
  },
  {
    lengths: [9, 12],
    codes: "41 870",
  },
  {
    lengths: [9, 10, 11, 12],
    codes: "420",
  },
  {
    lengths: [6, 7, 9],
    codes: "421",
  },
  {
    lengths: [4, 5, 6, 7, 8, 9, 10, 11, 12, 13],
    codes: "43 598",
  },
  {
    lengths: [7, 9, 10],
    codes: "44",
  },
  {
    lengths: [6, 7, 8, 9, 10, 12],
    codes: "46",
  },
  {
    lengths: [5, 8],
    codes: "47 686",
  },
  {
    lengths: [6, 7, 8, 9, 10],
    codes: "48 880 95",
  },
  {
    lengths: [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    codes: "49",
  },
  {
    lengths: [5],
    codes: "500 682",
  },
  {
    lengths: [7, 11],
    codes: "501 679",
  },
  {
    lengths: [8, 11],
    codes: "502 504",
  },
  {
    lengths: [7, 8, 11],
    codes: "503",
  },
  {
    lengths: [7, 8, 10, 11],
    codes: "507",
  },
  {
    lengths: [6, 7, 8, 10],
    codes: "53",
  },
  {
    lengths: [10, 11],
    codes: "54",
  },
  {
    lengths: [8, 9, 10, 11],
    codes: "55 593",
  },
  {
    lengths: [9, 10, 11],
    codes: "56",
  },
  {
    lengths: [8, 10, 11],
    codes: "57 65 977",
  },
  {
    lengths: [6, 7],
    codes: "597",
  },
  {
    lengths: [5, 6, 7, 8, 9, 10, 12],
    codes: "61",
  },
  {
    lengths: [7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17],
    codes: "62",
  },
  {
    lengths: [6, 8, 9, 10, 11, 12, 13],
    codes: "63",
  },
  {
    lengths: [8, 9, 10, 13],
    codes: "66",
  },
  {
    lengths: [5, 7],
    codes: "676 677 678",
  },
  {
    lengths: [4, 7],
    codes: "683",
  },
  {
    lengths: [5, 6, 7, 10],
    codes: "685",
  },
  {
    lengths: [5, 6, 7],
    codes: "688",
  },
  {
    lengths: [4, 5, 6, 7],
    codes: "690",
  },
  {
    lengths: [10, 14],
    codes: "7",
  },
  {
    lengths: [8, 9, 10, 11, 12, 13, 14, 15, 16, 17],
    codes: "81",
  },
  {
    lengths: [5, 6, 8, 9, 10, 11, 12, 13, 14],
    codes: "82",
  },
  {
    lengths: [5, 6, 7, 8, 9, 11],
    codes: "852",
  },
  {
    lengths: [7, 8, 9, 10, 11, 12],
    codes: "86 882 972",
  },
  {
    lengths: [12],
    codes: "878",
  },
  {
    lengths: [7, 8, 9, 10, 11],
    codes: "886",
  },
  {
    lengths: [11],
    codes: "888",
  },
  {
    lengths: [7, 10, 12, 13],
    codes: "90",
  },
  {
    lengths: [8, 9, 10, 11, 12, 13],
    codes: "91",
  },
  {
    lengths: [7, 8, 9, 11],
    codes: "974",
  },
  {
    lengths: [4, 5, 6, 7, 10],
    codes: "98",
  },
];
