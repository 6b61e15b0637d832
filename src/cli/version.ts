// The version of the program.

/** The version in package.json. A test compares the two, so no file is read at start. */
export const version = "0.2.0";
