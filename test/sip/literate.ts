import { testPages } from "../support/literate-vector.ts";
import { callKinds } from "./call-vectors.ts";
import { fieldKinds } from "./field-vectors.ts";
import { messageKinds } from "./message-vectors.ts";

testPages("test/sip/vectors", { ...messageKinds, ...fieldKinds, ...callKinds });
