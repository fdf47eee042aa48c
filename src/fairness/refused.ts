import { REST_MS_MAX } from './pace'
import type { TurnRefused } from './turn'

/** Zero would send the client back at once; beyond a minute clients stop believing it. */
export const refused = (why: TurnRefused['why'], waitMs: number): TurnRefused => ({
  kind: 'refused',
  why,
  retryAfterMs: Math.min(REST_MS_MAX, Math.max(1, Math.ceil(waitMs))),
})
