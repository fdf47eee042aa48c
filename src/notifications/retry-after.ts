/** Of more nobody keeps track; a message has a day anyway. */
const WAIT_MS_MAX = 86_400_000

/** The wait that `Retry-After` asks for, as seconds or a date (RFC 9110, 10.2.3); undefined where it says none. */
export function retryAfterOf(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,9}$/.test(text)) return Math.min(WAIT_MS_MAX, Number(text) * 1_000)
  const atMs = /^[A-Z][a-z]{2}, /.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(atMs) ? undefined : Math.min(WAIT_MS_MAX, Math.max(0, atMs - nowMs))
}
