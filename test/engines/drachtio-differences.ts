import type { Differences } from "./scenarios.ts";

/** What is otherwise on drachtio; the table in docs/drachtio.md is held against this one. */
export const differences: Differences = {
  "a roaming mobile, number withheld, to BYE of the caller": {
    status: 403,
    reaches: false,
    because: "drachtio can't take a number out",
  },
  "a roaming mobile, number withheld, to BYE of the called side": {
    status: 403,
    reaches: false,
    because: "drachtio can't take a number out",
  },
  "a display name that shows another number": {
    status: 403,
    reaches: false,
    reason: "display-name-misleading",
    because: "drachtio can't take a display name out",
  },
  "nobody known": { status: 403, reaches: false, because: "drachtio has said 100 already" },
};
