import { ProblemError } from '../base/problem'
import { UpstreamError } from './upstream-error'

/** Nobody knows whether it was done: to be asked again after `againMs`. */
export interface Unsure {
  readonly kind: 'unsure'
  readonly detail: string
  readonly againMs: number
}

/**
 * What an account is asked for, where no answer is one too: nobody answered, or we had nothing to show who we are, which is an
 * operator's to mend and then as good as new. Whatever else `work` throws is thrown on.
 */
export async function orUnsure<T>(againMs: number, work: () => Promise<T>): Promise<T | Unsure> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof UpstreamError || error instanceof ProblemError)
      return { kind: 'unsure', detail: error.message, againMs }
    throw error
  }
}
