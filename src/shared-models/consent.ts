import { z } from 'zod'
import type { CallerId, FileId } from '../base/ids'
import { fileIdInput } from '../files/file-id-input'
import { purposeId, type PurposeId } from './purpose'

/**
 * One entry of a tenant's ledger for one purpose. Entries are only ever added, and the newest one holds. Sealed with the tenant's
 * key: terms are its own words. Times are Unix milliseconds.
 */
export type ConsentEntry = ConsentGiven | ConsentWithdrawn

interface Entry {
  readonly purposeId: PurposeId
  /** From 1, without gaps, for each purpose. */
  readonly sequence: number
  readonly atMs: number
  /** Who of the tenant's. */
  readonly by: CallerId
}

export interface ConsentGiven extends Entry {
  readonly kind: 'consent'
  /** To the purpose's text of this version and no other. */
  readonly textVersion: number
  /** The examples in these files and no others. */
  readonly fileIds: readonly FileId[]
  /** Names and words that say whose the examples are, beside those that the platform knows. */
  readonly terms: readonly string[]
}

export interface ConsentWithdrawn extends Entry {
  readonly kind: 'objection'
}

const FILES_MAX = 20
const TERMS_MAX = 200
const TERM_CHARACTERS_MIN = 3
const TERM_CHARACTERS_MAX = 100
const TEXT_VERSION_MAX = 1_000

/** Of `POST /api/tenant/consents`. */
export const consentInput = z
  .strictObject({
    kind: z.enum(['consent', 'objection']),
    purpose: purposeId,
    textVersion: z
      .int()
      .min(1)
      .max(TEXT_VERSION_MAX)
      .optional()
      .meta({ description: 'Of a consent: the version of the text that was read.' }),
    files: z.array(fileIdInput).min(1).max(FILES_MAX).optional().meta({
      description:
        'Of a consent: files with the purpose "fine-tune", whose examples may be used; no others from now on.',
    }),
    terms: z.array(z.string().trim().min(TERM_CHARACTERS_MIN).max(TERM_CHARACTERS_MAX)).max(TERMS_MAX).optional().meta({
      description: 'Of a consent: names of products, projects and persons that would say whose the examples are.',
    }),
  })
  .superRefine(({ kind, textVersion, files, terms }, context) => {
    const fault = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
    const given = { textVersion, files, terms }
    if (kind === 'objection')
      for (const [name, value] of Object.entries(given))
        if (value !== undefined) fault(name, 'An objection is to everything, and has none')
    if (kind === 'consent' && textVersion === undefined) fault('textVersion', 'A consent says which text was read')
    if (kind === 'consent' && files === undefined) fault('files', 'A consent says which files may be used')
  })
export type ConsentInput = z.infer<typeof consentInput>

/** What the input asks for. */
export type AskedConsent =
  | ({ readonly kind: 'consent' } & Pick<ConsentGiven, 'purposeId' | 'textVersion' | 'fileIds' | 'terms'>)
  | { readonly kind: 'objection'; readonly purposeId: PurposeId }

export function askedConsent({ kind, purpose, textVersion = 0, files = [], terms = [] }: ConsentInput): AskedConsent {
  if (kind === 'objection') return { kind, purposeId: purpose }
  return { kind, purposeId: purpose, textVersion, fileIds: [...new Set(files)], terms: [...new Set(terms)] }
}

export const shownConsent = z
  .object({
    kind: z.enum(['consent', 'objection']),
    purpose: z.string(),
    sequence: z.int(),
    at: z.iso.datetime(),
    by: z.string(),
    textVersion: z.int().optional(),
    files: z.array(z.string()).optional(),
    terms: z.array(z.string()).optional(),
  })
  .meta({ id: 'Consent' })

/** As its tenant sees it. */
export const consentView = (entry: ConsentEntry): z.infer<typeof shownConsent> => ({
  kind: entry.kind,
  purpose: entry.purposeId,
  sequence: entry.sequence,
  at: new Date(entry.atMs).toISOString(),
  by: entry.by,
  ...(entry.kind === 'consent'
    ? { textVersion: entry.textVersion, files: [...entry.fileIds], terms: [...entry.terms] }
    : {}),
})
