// An interface with its fields writable, for the one object that keeps them up to date.

/**
 * The same type without `readonly`. The owner of a value writes its fields, everybody else sees the interface.
 * V8 keeps an object that was written with a getter as a dictionary: every access to it is slow, so that what the path of
 * calls uses has plain fields.
 */
export type Mutable<Type> = { -readonly [Field in keyof Type]: Type[Field] };
