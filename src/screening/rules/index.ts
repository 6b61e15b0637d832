import type { Rule } from "../rule.ts";
import { callFrequency } from "./call-frequency.ts";
import { callRate } from "./call-rate.ts";
import { callerAuthentication } from "./caller-authentication.ts";
import { callerForm } from "./caller-form.ts";
import { cliConflict } from "./cli-conflict.ts";
import { denyLists } from "./deny-lists.ts";
import { displayName } from "./display-name.ts";
import { diversionLicence } from "./diversion-licence.ts";
import { emergency } from "./emergency.ts";
import { hiddenCaller } from "./hidden-caller.ts";
import { homeCliFromAbroad } from "./home-cli-from-abroad.ts";
import { numberClass } from "./number-class.ts";

/**
 * The rules that are enforced, in the order in which they run. `line-state`, `quarantine` and `channels` have their
 * place among the ids but no rule yet.
 */
export const rules: readonly Rule[] = [
  emergency,
  hiddenCaller,
  callerForm,
  cliConflict,
  displayName,
  homeCliFromAbroad,
  numberClass,
  diversionLicence,
  denyLists,
  callerAuthentication,
  callFrequency,
  callRate,
];
