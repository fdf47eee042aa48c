/** The end of every switch over a tagged union: a forgotten case does not compile. */
export function assertNever(value: never): never {
  throw new Error(`unreachable case: ${JSON.stringify(value)}`)
}

/** States something that this code relies on; a failure is our defect, never the caller's. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`)
}
