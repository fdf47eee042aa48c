import { createCipheriv, createDecipheriv, hash, hkdfSync } from 'node:crypto'
import type { Chance } from '../base/chance'
import type { Clock } from '../base/clock'
import { Problem } from '../base/problem'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, PartitionTable } from '../storage/partition-table'
import type { PlainAnswer } from './plain-request'

/**
 * Owner: creations that carry an `Idempotency-Key`. The same key with the same body gives the same answer for a day;
 * with another body it is refused. What is created gets its id before the first attempt and keeps it in later ones,
 * so an attempt that broke off in the middle is continued, not repeated.
 *
 * An answer may hold a new API key. It is therefore sealed (AES-256-GCM) with a key derived from the platform's secret
 * and the Idempotency-Key itself, which is not stored: neither the table nor the platform alone can open it.
 */
export interface Idempotency {
  once(
    operation: IdempotentOperation,
    run: (subject: string) => Promise<PlainAnswer | Problem>,
  ): Promise<PlainAnswer | Problem>
}

export interface IdempotentOperation {
  /** Where the principal's rows are: its tenant's partition, or the platform's. */
  readonly rows: PartitionTable<Columns>
  /** Whoever asks and what for; the same key means something else elsewhere. */
  readonly name: string
  readonly idempotencyKey: string
  /** The request's content, by which another request under the same key is told apart. */
  readonly content: string
  readonly newSubject: () => string
}

export const idempotencyStorage = { tables: ['idempotency'] } as const

const KEY = /^[\x21-\x7e]{1,255}$/
const KEPT_MS = 86_400_000
/** An attempt that has said nothing for so long is taken for dead. No creation takes nearly as long. */
export const ATTEMPT_MS_MAX = 60_000

interface Entry {
  readonly contentDigest: string
  readonly subject: string
  /** Unix milliseconds. */
  readonly createdAt: number
  /** Until then the latest attempt counts as under way; 0 once it has failed. Unix milliseconds. */
  readonly underWayUntil: number
  /** Present once there is an answer. */
  readonly sealed?: Sealed | undefined
}

/** When the creation was asked for first, Unix milliseconds: for whoever removes rows that are never read again. */
export const idempotencyBegunAt = (columns: Columns): number => fromJsonColumns<Entry>(columns).createdAt

export function readIdempotencyKey(header: string | null): string | undefined | Problem {
  if (header === null) return undefined
  if (KEY.test(header)) return header
  return new Problem('invalid_request', '`Idempotency-Key` must be 1 to 255 visible ASCII characters.', {
    param: 'idempotency-key',
  })
}

export function createIdempotency({
  clock,
  chance,
  secret,
}: {
  clock: Clock
  chance: Chance
  secret: string
}): Idempotency {
  return {
    once: async (operation, run) => {
      const rowKey = hash('sha256', `${operation.name}\n${operation.idempotencyKey}`, 'hex')
      const begun = await begin(operation, { rowKey, nowMs: clock.now() })
      if (begun instanceof Problem) return begun
      const seal = sealUnder({ secret, idempotencyKey: operation.idempotencyKey, rowKey })
      if (begun.kind === 'answered') return replay(seal.open(begun.sealed))

      const { entry, etag } = begun
      const write = (next: Entry) => operation.rows.replace(rowKey, toJsonColumns(next), etag)
      let answer: PlainAnswer | Problem
      try {
        answer = await run(entry.subject)
      } catch (error) {
        // Part of it may be done: the next attempt continues under the same subject. The first error is the one to tell.
        await write({ ...entry, underWayUntil: 0 }).catch(() => {})
        throw error
      }
      if (answer instanceof Problem) {
        await operation.rows.remove(rowKey)
        return answer
      }
      const kept = await write({ ...entry, sealed: seal.close(JSON.stringify(answer), chance) })
      // Another attempt has taken this one for dead; the key in this answer may have been replaced by its own.
      return kept.kind === 'written' ? answer : underWay
    },
  }
}

type Begun =
  | { readonly kind: 'attempt'; readonly entry: Entry; readonly etag: string }
  | { readonly kind: 'answered'; readonly sealed: Sealed }

async function begin(
  { rows, content, newSubject }: IdempotentOperation,
  { rowKey, nowMs }: { rowKey: string; nowMs: number },
): Promise<Begun | Problem> {
  const contentDigest = hash('sha256', content, 'base64url')
  const row = await rows.get(rowKey)
  const found = row && fromJsonColumns<Entry>(row.columns)
  const earlier = found && nowMs - found.createdAt < KEPT_MS ? found : undefined

  if (earlier && earlier.contentDigest !== contentDigest)
    return new Problem(
      'conflict',
      'This Idempotency-Key was used with another body. Take a new key for a new request.',
      {
        param: 'idempotency-key',
      },
    )
  if (earlier?.sealed) return { kind: 'answered', sealed: earlier.sealed }
  if (earlier && nowMs < earlier.underWayUntil) return underWay

  const entry = {
    contentDigest,
    subject: earlier?.subject ?? newSubject(),
    createdAt: earlier?.createdAt ?? nowMs,
    underWayUntil: nowMs + ATTEMPT_MS_MAX,
  }
  const columns = toJsonColumns(entry)
  const result = row ? await rows.replace(rowKey, columns, row.etag) : await rows.insert(rowKey, columns)
  return result.kind === 'written' ? { kind: 'attempt', entry, etag: result.etag } : underWay
}

const underWay = new Problem(
  'conflict',
  'A request with this Idempotency-Key is still under way. Send it again in a few seconds.',
  { param: 'idempotency-key' },
)

function replay(text: string | undefined): PlainAnswer | Problem {
  if (text === undefined)
    return new Problem('conflict', 'The request was carried out, but its answer can no longer be shown.')
  const answer = JSON.parse(text) as PlainAnswer
  return { ...answer, headers: { ...answer.headers, 'idempotency-replayed': 'true' } }
}

interface Sealed {
  readonly iv: string
  readonly tag: string
  readonly text: string
}

const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
/** NIST SP 800-38D, section 5.2.1.1. */
const IV_BYTES = 12
const TAG = { authTagLength: 16 }

/** The row's key is bound in, so that an answer moved to another row does not open. */
function sealUnder({ secret, idempotencyKey, rowKey }: { secret: string; idempotencyKey: string; rowKey: string }) {
  const key = Buffer.from(hkdfSync('sha256', secret, idempotencyKey, 'tenantry idempotent answer', KEY_BYTES))
  return {
    close: (text: string, chance: Chance): Sealed => {
      const iv = chance.bytes(IV_BYTES)
      const cipher = createCipheriv(CIPHER, key, iv, TAG).setAAD(Buffer.from(rowKey))
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return { iv: base64(iv), tag: base64(cipher.getAuthTag()), text: base64(sealed) }
    },
    /** Undefined where the platform's secret has been replaced since. */
    open: ({ iv, tag, text }: Sealed): string | undefined => {
      const decipher = createDecipheriv(CIPHER, key, Buffer.from(iv, 'base64'), TAG)
      decipher.setAAD(Buffer.from(rowKey)).setAuthTag(Buffer.from(tag, 'base64'))
      try {
        return decipher.update(text, 'base64', 'utf8') + decipher.final('utf8')
      } catch {
        return undefined
      }
    },
  }
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
