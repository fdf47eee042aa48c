import { createHmac } from 'node:crypto'
import type { Chance } from '../base/chance'
import type { WebhookSecret } from './subscription'

/**
 * Signatures of webhooks as Standard Webhooks has them (github.com/standard-webhooks, version 1.0.0): HMAC-SHA256 over
 * `{id}.{timestamp}.{body}` with the bytes behind `whsec_`, in base64 behind `v1,`; one for each secret that is valid, with a blank between.
 * The timestamp (Unix seconds) is of the attempt: a receiver refuses what is older than its window, five minutes as a rule, and so what is replayed.
 */
export function signedHeaders(
  { id, body, secrets }: { id: string; body: string; secrets: readonly WebhookSecret[] },
  nowMs: number,
): Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string> {
  const timestamp = String(Math.floor(nowMs / 1_000))
  const signed = `${id}.${timestamp}.${body}`
  const signatures = validSecrets(secrets, nowMs).map(
    ({ secret }) => `v1,${createHmac('sha256', keyOf(secret)).update(signed).digest('base64')}`,
  )
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') }
}

const PREFIX = 'whsec_'
const SECRET_BYTES = 32
/** After a rotation both secrets sign for so long. */
export const OVERLAP_MS = 86_400_000

const keyOf = (secret: string) => Buffer.from(secret.slice(PREFIX.length), 'base64')

export const newSecret = (chance: Chance): string => PREFIX + Buffer.from(chance.bytes(SECRET_BYTES)).toString('base64')

export const validSecrets = (secrets: readonly WebhookSecret[], nowMs: number): readonly WebhookSecret[] =>
  secrets.filter(({ until }) => until === undefined || until > nowMs)

/** A new secret, and beside it for `OVERLAP_MS` the one that was the newest: two at once, and no third. */
export function rotated(secrets: readonly WebhookSecret[], made: string, nowMs: number): readonly WebhookSecret[] {
  const [newest] = secrets
  return newest ? [{ secret: made }, { secret: newest.secret, until: nowMs + OVERLAP_MS }] : [{ secret: made }]
}
