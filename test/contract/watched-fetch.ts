/** What the app was asked by one client, and how it answered. */
export interface WatchedFetch {
  readonly fetch: typeof fetch
  readonly answers: readonly { readonly status: number; readonly headers: Headers }[]
  /** `x-stainless-retry-count` of each request. */
  readonly retryCounts: readonly (string | null)[]
}

/** Does what `fetch` does and notes every request; `onAnswer` runs before the client sees the answer. */
export function watchedFetch(onAnswer: (status: number) => Promise<void> = async () => {}): WatchedFetch {
  const answers: { status: number; headers: Headers }[] = []
  const retryCounts: (string | null)[] = []
  return {
    answers,
    retryCounts,
    fetch: async (input, init) => {
      retryCounts.push(new Headers(init?.headers).get('x-stainless-retry-count'))
      const answer = await fetch(input, init)
      answers.push({ status: answer.status, headers: answer.headers })
      await onAnswer(answer.status)
      return answer
    },
  }
}
