import type { Clock } from '../base/clock'
import type { CallerId, TenantId } from '../base/ids'
import { parseTenantId } from '../base/ids'
import { Problem } from '../base/problem'
import type { SealedRecords } from '../encryption/sealed-records'
import type { Files } from '../files/files'
import type { TenantScope } from '../storage/tenant-scope'
import type { Columns, TenantTable } from '../storage/tenant-table'
import type { TenantsRows } from '../storage/tenants-rows'
import type { AskedConsent, ConsentEntry } from './consent'
import { newestText, type PurposeId, type Purposes } from './purpose'

/**
 * Tenants' ledgers of consent. Invariants:
 * L1 Entries are added and never changed; of two at once each gets a place of its own.
 * L2 The newest entry holds, and the ledger alone says what holds: the index of who may have consented only tells whom to ask.
 */
export interface Consents {
  /** Consent to the newest text only; whatever is asked for again as it already is changes nothing. */
  add(scope: TenantScope, by: CallerId, asked: AskedConsent): Promise<ConsentEntry | Problem>
  /** What holds; undefined where the tenant never said anything of this purpose. */
  current(scope: TenantScope, purpose: PurposeId): Promise<ConsentEntry | undefined>
  /** Of one purpose, the newest first. */
  entries(scope: TenantScope, purpose: PurposeId): AsyncIterable<ConsentEntry>
  /** Of every purpose, the newest of each first. */
  all(scope: TenantScope): AsyncIterable<ConsentEntry>
  /** Tenants that have said something of this purpose at some time (I4): ids alone. */
  everyCandidate(purpose: PurposeId): AsyncIterable<TenantId>
}

export interface ConsentsDeps {
  readonly records: Pick<SealedRecords, 'putIfAbsent' | 'values'>
  readonly purposes: Pick<Purposes, 'get'>
  readonly files: Pick<Files, 'get'>
  readonly rows: TenantTable<Columns>
  readonly everyRow: TenantsRows
  readonly clock: Clock
}

const PREFIX = 'consents-'
/** Of one purpose. One objection more has always room: it is the last entry then. */
export const ENTRIES_MAX = 1_000
const NUMBER_DIGITS = 4
const LAST_NUMBER = 9_999
const ADD_ATTEMPTS_MAX = 20

export function createConsents({ records, purposes, files, rows, everyRow, clock }: ConsentsDeps): Consents {
  async function* entries(scope: TenantScope, purpose: PurposeId): AsyncGenerator<ConsentEntry> {
    for await (const { value } of records.values<ConsentEntry>(scope, prefixOf(purpose))) yield value
  }
  const current = async (scope: TenantScope, purpose: PurposeId) => {
    for await (const entry of entries(scope, purpose)) return entry
    return undefined
  }
  const faultOf = async (scope: TenantScope, asked: AskedConsent): Promise<Problem | undefined> => {
    const purpose = await purposes.get(asked.purposeId)
    if (!purpose) return noPurpose
    if (asked.kind === 'objection') return undefined
    const { version } = newestText(purpose)
    if (asked.textVersion !== version)
      return new Problem('conflict', `The purpose has a text of version ${version} by now. Read it and consent to it.`)
    for (const [index, id] of asked.fileIds.entries()) {
      const file = await files.get(scope, id)
      // An id of nobody's and one of another tenant's are alike (I3).
      if (!file) return invalid(`files.${index}`, 'names no file of yours')
      if (file.purpose !== 'fine-tune')
        return invalid(`files.${index}`, 'must have been uploaded with the purpose "fine-tune"')
    }
    return undefined
  }

  return {
    entries,
    current,
    add: async (scope, by, asked) => {
      const fault = await faultOf(scope, asked)
      if (fault) return fault
      // Before the ledger says so: whom nobody asks is never found to have consented.
      await rows.put(scope, candidateRow(asked.purposeId), {})
      for (let attempt = 0; attempt < ADD_ATTEMPTS_MAX; attempt++) {
        const known = await current(scope, asked.purposeId)
        if (asked.kind === 'objection' && !known) return nothingToObjectTo
        if (known && isSame(known, asked)) return known
        const sequence = (known?.sequence ?? 0) + 1
        if (sequence > ENTRIES_MAX && asked.kind === 'consent') return tooMany
        const entry: ConsentEntry = { ...asked, sequence, by, atMs: clock.now() }
        const result = await records.putIfAbsent(scope, recordOf(asked.purposeId, sequence), entry)
        if (result.kind === 'written') return entry
      }
      throw new Error(`others are adding to the consents of ${scope.tenantId} at the moment`)
    },
    async *all(scope) {
      for await (const { value } of records.values<ConsentEntry>(scope, PREFIX)) yield value
    },
    async *everyCandidate(purpose) {
      for await (const { tenantId } of everyRow(candidateRow(purpose))) {
        const parsed = parseTenantId(tenantId)
        if (parsed) yield parsed
      }
    },
  }
}

/** Hyphens may be in a purpose's id, and underscores not. */
const prefixOf = (purpose: PurposeId) => `${PREFIX}${purpose}_`
/** The newest has the least number, so that a list begins with it. */
const recordOf = (purpose: PurposeId, sequence: number) =>
  prefixOf(purpose) + String(LAST_NUMBER - sequence).padStart(NUMBER_DIGITS, '0')
const candidateRow = (purpose: PurposeId) => `candidate.${purpose}`

function isSame(known: ConsentEntry, asked: AskedConsent): boolean {
  if (known.kind === 'objection' || asked.kind === 'objection') return known.kind === asked.kind
  const { textVersion, fileIds, terms } = asked
  return known.textVersion === textVersion && areEqual(known.fileIds, fileIds) && areEqual(known.terms, terms)
}

function areEqual(a: readonly string[], b: readonly string[]): boolean {
  const [one, other] = [new Set(a), new Set(b)]
  return one.size === other.size && one.isSubsetOf(other)
}

const invalid = (param: string, message: string) =>
  new Problem('invalid_request', `${param} ${message}`, { param, errors: [{ path: param, message }] })
const noPurpose = new Problem('not_found', 'There is no such purpose.')
const nothingToObjectTo = new Problem('conflict', 'Nothing was consented to for this purpose.')
const tooMany = new Problem('conflict', `The ledger has ${ENTRIES_MAX} entries for this purpose, which is the most.`)
