// The trunk by which attempts are read where no policy says how numbers are written.
import { ordinaryMethods } from "../../domain/method.ts";
import type { Trunk } from "../../domain/trunk.ts";
import { createDialPlan } from "../../numbering/dial-plan.ts";

/**
 * The trunk for attempts without a policy: numbers are read as on a domestic trunk without an area
 * code.
 */
export const plainTrunk: Trunk = {
  id: "",
  index: 0,
  side: "national",
  lessee: undefined,
  dialPlan: createDialPlan(),
  nextHops: [],
  ownNames: [],
  failoverOn503: true,
  passThrough503: true,
  fallback: "accept",
  exception: "reject",
  status: new Map(),
  identity: "all",
  mustAgree: [],
  limits: {},
  mode: "proxy",
  methods: ordinaryMethods,
  cleanUp: undefined,
  label: { text: "", displayName: "" },
  isupVersions: new Map(),
  bodies: new Set(),
  ss7: { originatingPointCodes: undefined, serviceIndicators: new Set([5, 13]) },
  longestCall: 0,
};
