/** The states of sigwall that are measured beside each other, and those that will be. */

/** A state: what sigwall does beside judging and carrying calls. */
export interface State {
  /** The word of `--states`. */
  readonly name: string;
  /** What stands behind the name of the target in tables; empty for the plain one. */
  readonly title: string;
  /** What the state adds to `sigwall.yaml`. */
  readonly sigwall: string;
  /** What the state adds to `policy.yaml`, and to the limits of each trunk there. */
  readonly policy?: string;
  readonly limits?: string;
}

export const plain: State = { name: "plain", title: "", sigwall: "" };

/** What is kept of calls. Answers to refusals wait for the last kind. */
export const keeping: readonly State[] = [
  { name: "records", title: "records", sigwall: "records: { folder: records }\n" },
  {
    name: "evidence",
    title: "records + evidence",
    sigwall: "records: { folder: records }\nevidence: { folder: evidence }\n",
  },
  {
    name: "before-reject",
    title: "before-reject",
    sigwall: "records: { folder: records }\nevidence: { folder: evidence, durability: before-reject }\n",
  },
];

/** What judges over time: three limits by contract on each trunk, and every detector. */
const overTime: State = {
  name: "detectors",
  title: "limits and detectors",
  sigwall: "",
  policy:
    "detectors: { one-ring: {}, call-bombing: {}, block-dialling: {}, short-calls: {}, spread: {}, two-places: {}, sub-lease: {} }",
  limits:
    ", frequency: [{ per: caller, calls: 1000000, within: 1h }, { per: called, calls: 1000000, within: 1d }, { per: lessee, calls: 10000000, within: 1d }]",
};

/** Two nodes: the one that is measured, and one that has as many calls (`cluster/mirror.ts`). `FOLDER` is that of the target. */
export const clustered: State = {
  name: "cluster",
  title: "cluster",
  sigwall: 'keyFile: key\nredis: { url: "unix:FOLDER/redis.sock" }\n',
};

/** Every state that can be measured. */
export const states: readonly State[] = [plain, ...keeping, overTime, clustered];
