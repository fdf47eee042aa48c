import { problemCodes, type ProblemCode } from './problem-codes'

/**
 * A refusal or a failure with a code of the registry. Returned as a value where the caller must handle it
 * (`instanceof Problem`), thrown inside a `ProblemError` where something is broken.
 * It takes no stack trace: a flood of refusals must stay cheap.
 */
export class Problem {
  readonly code: ProblemCode
  /** What the caller may read: what is wrong and what would be valid. No ids of others, no secrets. */
  readonly public: string
  /** What only our log reads. Never leaves the process. */
  readonly internal: string | undefined
  /** The name of the field at fault, in the caller's terms. */
  readonly param: string | undefined
  /** Every field at fault, where more than one is; shown on the control plane only, whose error bodies have a place for it. */
  readonly errors: readonly FieldError[] | undefined
  /** The true wait until the same request could succeed; only on codes whose registry entry is retryable. */
  readonly retryAfterMs: number | undefined
  /** More response headers, for example the rate headers of a refusal. */
  readonly headers: Readonly<Record<string, string>> | undefined

  constructor(
    code: ProblemCode,
    publicText: string,
    more: {
      internal?: string | undefined
      param?: string | undefined
      errors?: readonly FieldError[] | undefined
      retryAfterMs?: number | undefined
      headers?: Readonly<Record<string, string>> | undefined
    } = {},
  ) {
    this.code = code
    this.public = publicText
    this.internal = more.internal
    this.param = more.param
    this.errors = more.errors
    this.retryAfterMs = more.retryAfterMs
    this.headers = more.headers
  }

  get entry() {
    return problemCodes[this.code]
  }
}

/** One field at fault: its path in the caller's terms (`aliases.0.name`) and what would be valid. */
export interface FieldError {
  readonly path: string
  readonly message: string
}

export class ProblemError extends Error {
  readonly problem: Problem
  constructor(problem: Problem, options?: { cause?: unknown }) {
    super(problem.internal ?? problem.public, options)
    this.name = 'ProblemError'
    this.problem = problem
  }
}

export function throwProblem(...args: ConstructorParameters<typeof Problem>): never {
  throw new ProblemError(new Problem(...args))
}
