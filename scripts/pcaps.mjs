// npm run pcaps: makes the captures of pcaps/ from their readable sources. Run from the repository root, after a compile to out/.
import { writeCaptures } from "../out/pcaps/generate.js";

writeCaptures();
