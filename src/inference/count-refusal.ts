import { Problem, ProblemError } from '../base/problem'
import type { RefusedCall } from '../metering/usage-record'
import type { UsageLog } from '../metering/usage-log'

/** Whose call it is, should it be refused; `alias` and `model` are empty where it was refused unread. */
export type RefusableCall = Omit<RefusedCall, 'code' | 'status'>

/**
 * Does what comes before a call has an entry of its own in the usage log. A call that ends there because its tenant, its key or the
 * platform has no room for it is counted with others like it; one that its client has to write otherwise is nobody's concern.
 */
export async function countingRefusal<T>(
  { usageLog }: { usageLog: Pick<UsageLog, 'refused'> },
  callOf: () => RefusableCall,
  work: () => Promise<T | Problem>,
): Promise<T | Problem> {
  const tell = ({ code, entry: { status } }: Problem) => {
    if (status === 429 || status >= 500) usageLog.refused({ ...callOf(), code, status })
  }
  try {
    const result = await work()
    if (result instanceof Problem) tell(result)
    return result
  } catch (error) {
    tell(error instanceof ProblemError ? error.problem : new Problem('internal_error', 'The call failed.'))
    throw error
  }
}
