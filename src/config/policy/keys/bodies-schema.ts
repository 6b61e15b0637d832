// The key `bodies` of a trunk: media types of bodies that may pass unread.
import { z } from "zod";
import { isupTypes } from "../../../sip/bodies/passing-types.ts";

/** `type/subtype`, two tokens (RFC 3261 section 25.1). */
const MEDIA_TYPE = /^[A-Za-z0-9.!%*_+`'~-]{1,64}\/[A-Za-z0-9.!%*_+`'~-]{1,64}$/;

const mediaTypeSchema = z.string().superRefine((type, context) => {
  const message = faultOf(type);
  if (message !== undefined) context.addIssue({ code: "custom", message });
});

function faultOf(type: string): string | undefined {
  const name = type.toLowerCase();
  if (!MEDIA_TYPE.test(type) || type.includes("*"))
    return `"${type}" is not a media type: write type/subtype without parameters, such as application/QSIG`;
  if (name.startsWith("multipart/"))
    return `"${type}" only holds other bodies: they are looked at one by one; name the types inside`;
  if (name.includes("isup"))
    return isupTypes.has(name)
      ? `"${type}" is read and judged as ISUP: it can't pass unread`
      : `"${type}" claims to be ISUP, and such a body can't pass unread`;
  return undefined;
}

/** Schema of the key `bodies` of a trunk. */
export const bodiesSchema = z
  .array(mediaTypeSchema)
  .describe(
    "Media types of bodies that may pass unread, beside those that name no caller (SDP, DTMF, PIDF …). Case does not matter.",
  );
