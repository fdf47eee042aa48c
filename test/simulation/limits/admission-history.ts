export interface AdmittedCall {
  readonly atMs: number
  readonly tokens: number
  /** Set when it settles. */
  settledAtMs: number
  usedTokens: number
}

/** Every call that was let through, by the true time, whatever instance let it through. */
export class AdmissionHistory {
  readonly calls: AdmittedCall[] = []

  admitted(atMs: number, tokens: number): AdmittedCall {
    const call = { atMs, tokens, settledAtMs: Infinity, usedTokens: tokens }
    this.calls.push(call)
    return call
  }

  /**
   * The most that any window of `windowMs` held at the moment one of its calls was admitted. A call counts with its
   * reservation until it settles, and with what it used from then on.
   */
  peaks(windowMs: number): { requests: number; tokens: number; calls: number } {
    const calls = this.calls.toSorted((a, b) => a.atMs - b.atMs)
    const peaks = { requests: 0, tokens: 0, calls: 0 }
    let first = 0
    for (let last = 0; last < calls.length; last++) {
      const nowMs = calls[last]?.atMs ?? 0
      while ((calls[first]?.atMs ?? 0) <= nowMs - windowMs) first++
      const inWindow = calls.slice(first, last + 1)
      const tokens = inWindow.reduce(
        (sum, call) => sum + (call.settledAtMs <= nowMs ? call.usedTokens : call.tokens),
        0,
      )
      peaks.requests = Math.max(peaks.requests, inWindow.length)
      peaks.tokens = Math.max(peaks.tokens, tokens)
      const underWay = calls.slice(0, last + 1).filter(({ settledAtMs }) => settledAtMs > nowMs).length
      peaks.calls = Math.max(peaks.calls, underWay)
    }
    return peaks
  }

  /** When that many tokens had been admitted in all; Infinity if never. */
  reachedAtMs(tokens: number): number {
    let sum = 0
    for (const call of this.calls) {
      sum += call.tokens
      if (sum >= tokens) return call.atMs
    }
    return Infinity
  }
}
