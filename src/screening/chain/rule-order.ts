// The rules in the order in which they run.
import type { Rule } from "../rule.ts";
import { callFrequency } from "../limits/call-frequency.ts";
import { channels } from "../limits/channels.ts";
import { callRate } from "../limits/call-rate.ts";
import { bodies } from "../rules/bodies.ts";
import { callerAuthentication } from "../rules/caller-authentication.ts";
import { callerForm } from "../rules/caller-form.ts";
import { cliConflict } from "../rules/cli-conflict.ts";
import { denyLists } from "../rules/deny-lists.ts";
import { displayName } from "../rules/display-name.ts";
import { diversionLicence } from "../rules/diversion-licence.ts";
import { doNotCall } from "../rules/do-not-call.ts";
import { emergency } from "../rules/emergency.ts";
import { hiddenCaller } from "../rules/hidden-caller.ts";
import { homeCliFromAbroad } from "../rules/home-cli-from-abroad.ts";
import { lineState } from "../rules/line-state.ts";
import { marketing } from "../rules/marketing.ts";
import { numberClass } from "../rules/number-class.ts";
import { quarantine } from "../rules/quarantine.ts";

/** The rules that exist, in the order in which they run. */
export const rules: readonly Rule[] = [
  emergency,
  lineState,
  hiddenCaller,
  callerForm,
  bodies,
  cliConflict,
  displayName,
  homeCliFromAbroad,
  numberClass,
  diversionLicence,
  denyLists,
  callerAuthentication,
  doNotCall,
  marketing,
  quarantine,
  callFrequency,
  callRate,
  channels,
];
