const POLL_INTERVAL_MS = 50
const WAIT_MS_MAX = 120_000

/** Asks again until the answer is not undefined; fails with `what` at the deadline. The real host needs its time. */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined>, waitMsMax = WAIT_MS_MAX) {
  const deadlineMs = Date.now() + waitMsMax
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (Date.now() > deadlineMs) throw new Error(`not within ${waitMsMax} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS))
  }
}
