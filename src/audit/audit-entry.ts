import { hash } from 'node:crypto'
import type { AuditEntry, AuditEvent } from './audit-log'
import { canonicalJson } from './canonical-json'

/** Where a chain ends: what its next entry has to name. */
export interface ChainHead {
  /** 0 before the first entry. */
  readonly sequence: number
  readonly hash: string
}

export const emptyChain: ChainHead = { sequence: 0, hash: '0'.repeat(64) }

/** An entry takes at most about 8 KB, so that a full transaction of them stays far below the 4 MiB that one may have. */
const ID_CHARACTERS_MAX = 256
const ACTION_CHARACTERS_MAX = 100
const TARGET_CHARACTERS_MAX = 512
const REQUEST_ID_CHARACTERS_MAX = 128
const DETAILS_MAX = 16
const DETAIL_NAME_CHARACTERS_MAX = 64
const DETAIL_CHARACTERS_MAX = 256

/** The event as the entry behind `head`. Text beyond its bounds is cut: an entry that is too long must not be lost. */
export function entryAfter(head: ChainHead, event: AuditEvent, nowMs: number): AuditEntry {
  const entry = {
    ...bounded(event),
    sequence: head.sequence + 1,
    at: new Date(nowMs).toISOString(),
    previousHash: head.hash,
  }
  return { ...entry, hash: hashOf(entry) }
}

/** SHA-256 (hex) over the canonical JSON of everything of an entry but its `hash`. */
export function hashOf(entry: object): string {
  return hash('sha256', canonicalJson({ ...entry, hash: undefined }), 'hex')
}

function bounded({ actor, action, target, outcome, requestId, details }: AuditEvent): AuditEvent {
  return {
    actor: { kind: actor.kind, id: cut(actor.id, ID_CHARACTERS_MAX) },
    action: cut(action, ACTION_CHARACTERS_MAX),
    target: cut(target, TARGET_CHARACTERS_MAX),
    outcome,
    requestId: cut(requestId, REQUEST_ID_CHARACTERS_MAX),
    ...(details ? { details: boundedDetails(details) } : {}),
  }
}

function boundedDetails(details: NonNullable<AuditEvent['details']>): NonNullable<AuditEvent['details']> {
  const kept = Object.entries(details).slice(0, DETAILS_MAX)
  return Object.fromEntries(
    kept.map(([name, value]) => [
      cut(name, DETAIL_NAME_CHARACTERS_MAX),
      typeof value === 'string' ? cut(value, DETAIL_CHARACTERS_MAX) : value,
    ]),
  )
}

/** Half a surrogate pair, which a cut may leave, would be stored as another character than the one that was hashed. */
function cut(text: string, charactersMax: number): string {
  const kept = text.length <= charactersMax ? text : `${text.slice(0, charactersMax - 1)}…`
  return kept.toWellFormed()
}
