import { Problem } from './problem'

/** Another instance takes the next attempt at once, or this one when it is back: within a second or so. */
const STOPPING_RETRY_MS = 1_000

/** For what comes when a clean stop has begun, and for what it does not wait for. */
export const stopping = new Problem('shutting_down', 'This instance is stopping. Please try again.', {
  retryAfterMs: STOPPING_RETRY_MS,
})
