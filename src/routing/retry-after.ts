import { numberIn, type UpstreamHeaders } from '../azure/upstream-headers'

/** What a backend that says nothing of a wait gets. */
export const WAIT_MS_DEFAULT = 1_000

/**
 * The wait that a throttling backend asks for, in milliseconds, from the most exact source it gives: `retry-after-ms`,
 * `retry-after` (seconds or an HTTP date), `x-ratelimit-reset-*` (seconds), or "retry after N seconds" in the message.
 */
export function readRetryAfterMs(headers: UpstreamHeaders, message: string, nowMs: number): number {
  const ms = numberIn(headers['retry-after-ms'])
  if (ms !== undefined) return ms
  const after = headers['retry-after']
  if (after !== undefined) {
    const seconds = numberIn(after)
    if (seconds !== undefined) return seconds * 1_000
    const at = Date.parse(after)
    if (!Number.isNaN(at)) return Math.max(0, at - nowMs)
  }
  const resets = [
    numberIn(headers['x-ratelimit-reset-requests']),
    numberIn(headers['x-ratelimit-reset-tokens']),
    numberIn(headers['x-rate-limit-reset-tokens']),
  ].filter((value) => value !== undefined)
  if (resets.length > 0) return Math.max(...resets) * 1_000
  const inMessage = /retry after (\d{1,6}) (milli)?seconds?/i.exec(message)
  if (inMessage) return Number(inMessage[1]) * (inMessage[2] ? 1 : 1_000)
  return WAIT_MS_DEFAULT
}

/**
 * `azure-openai-deployment-utilization` is a percentage with or without its sign, and with a decimal point or comma; 1 is full.
 * Absent on pay-as-you-go.
 */
export function readUtilization(headers: UpstreamHeaders): number | undefined {
  const percent = numberIn(headers['azure-openai-deployment-utilization']?.replace(/ ?%$/, '').replace(',', '.'))
  return percent === undefined ? undefined : percent / 100
}
