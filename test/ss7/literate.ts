import { testPages } from "../support/literate-vector.ts";
import { isupKinds } from "./isup-vectors.ts";
import { unitKinds } from "./unit-vectors.ts";

testPages("test/ss7/vectors", { ...unitKinds, ...isupKinds });
