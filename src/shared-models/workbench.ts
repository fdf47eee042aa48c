import type { TenantId } from '../base/ids'
import { RECORD_BYTES_MAX, type SealedRecords } from '../encryption/sealed-records'
import type { TenantScope } from '../storage/tenant-scope'
import type { Term } from './terms'

/**
 * What a build works on, sealed with the key of the model's owner: each tenant's sample, what is left of it when it is cleaned, the
 * common words, and the terms of all. Gone when the examples are merged, or with the owner.
 */
export interface Workbench {
  putLines(owner: TenantScope, of: LinesOf, lines: readonly string[]): Promise<void>
  /** Rejects where there are none: a step was passed over. */
  lines(owner: TenantScope, of: LinesOf): Promise<string[]>
  putWords(owner: TenantScope, words: readonly string[]): Promise<number>
  words(owner: TenantScope): Promise<ReadonlySet<string>>
  putTerms(owner: TenantScope, terms: readonly Term[]): Promise<void>
  terms(owner: TenantScope): Promise<readonly Term[]>
  clear(owner: TenantScope): Promise<void>
}

export interface LinesOf {
  readonly what: 'sample' | 'cleaned'
  readonly tenantId: TenantId
}

/** Of one tenant's sample: far below what one record holds, since cleaning may make lines a little longer. */
export const SAMPLE_BYTES_MAX = 8 * 1024 * 1024
const PREFIX = 'shareddata-'
const WORDS_ID = `${PREFIX}words`
const TERMS_ID = `${PREFIX}terms`

type Records = Pick<SealedRecords, 'getBytes' | 'putBytes' | 'get' | 'put' | 'remove' | 'removeBytes'>

export function createWorkbench(records: Records): Workbench {
  const read = async (owner: TenantScope, id: string) => {
    const bytes = await records.getBytes(owner, id)
    if (!bytes) throw new Error(`the record ${id} of a build is not there`)
    return bytes.length === 0 ? [] : bytes.toString('utf8').split('\n')
  }
  return {
    putLines: (owner, of, lines) => records.putBytes(owner, idOf(of), Buffer.from(lines.join('\n'))),
    lines: (owner, of) => read(owner, idOf(of)),
    putWords: async (owner, words) => {
      const kept = fitting(words, RECORD_BYTES_MAX)
      await records.putBytes(owner, WORDS_ID, Buffer.from(kept.join('\n')))
      return kept.length
    },
    words: async (owner) => new Set(await read(owner, WORDS_ID)),
    putTerms: (owner, terms) => records.put(owner, TERMS_ID, terms),
    terms: async (owner) => {
      const found = await records.get<readonly Term[]>(owner, TERMS_ID)
      if (!found) throw new Error('the terms of a build are not there')
      return found.value
    },
    clear: async (owner) => {
      await records.removeBytes(owner, PREFIX)
      await records.remove(owner, TERMS_ID)
    },
  }
}

const idOf = ({ what, tenantId }: LinesOf) => `${PREFIX}${what}-${tenantId.slice('ten_'.length)}`

/** What does not fit is missing, and so no common word: that errs on the safe side. */
function fitting(words: readonly string[], bytesMax: number): readonly string[] {
  let bytes = 0
  const end = words.findIndex((word) => (bytes += Buffer.byteLength(word) + 1) > bytesMax)
  return end < 0 ? words : words.slice(0, end)
}
