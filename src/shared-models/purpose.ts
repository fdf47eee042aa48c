import { z } from 'zod'
import { Problem } from '../base/problem'
import type { Clock } from '../base/clock'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, PartitionTable } from '../storage/partition-table'
import { regionName } from '../tenants/tenant-input'

/** What tenants' examples may be used for together: named by operators, consented to by tenants, in exactly these words. */
export interface Purpose {
  readonly id: PurposeId
  readonly title: string
  /** Data is trained on, and the model served, there and nowhere else: part of what is consented to. */
  readonly region: string
  /** The oldest first. A consent is to one of them; a new one needs new consents. */
  readonly texts: readonly PurposeText[]
}

export interface PurposeText {
  /** From 1. */
  readonly version: number
  readonly text: string
  /** Unix milliseconds. */
  readonly atMs: number
}

/** Lower-case letters, digits and hyphens: `order-support`. */
export type PurposeId = string & { readonly purpose: unique symbol }

const PURPOSE_ID = /^[a-z0-9][a-z0-9-]{0,59}$/
const TITLE_CHARACTERS_MAX = 100
const TEXT_CHARACTERS_MAX = 4_000
const TEXTS_MAX = 50
const PURPOSES_MAX = 200
const CHANGE_ATTEMPTS_MAX = 20

const VALID = 'Must be 1 to 60 lower-case letters, digits and hyphens, the first no hyphen'
export const purposeId = z
  .string()
  .regex(PURPOSE_ID, VALID)
  .transform((text) => text as PurposeId)

export const purposeInput = z.strictObject({
  title: z.string().trim().min(1).max(TITLE_CHARACTERS_MAX),
  region: regionName.meta({ description: 'Where examples are trained on and the model is served. Stays as it is.' }),
  text: z.string().trim().min(1).max(TEXT_CHARACTERS_MAX).meta({
    description:
      'What tenants consent to, in full. Another text is another version, to which nobody has consented yet.',
  }),
})
export type PurposeInput = z.infer<typeof purposeInput>

export interface Purposes {
  /** Made, or given another title or text. Repeating it changes nothing. */
  put(id: PurposeId, input: PurposeInput): Promise<Purpose | Problem>
  get(id: PurposeId): Promise<Purpose | undefined>
  /** In order of id; at most `PURPOSES_MAX`. */
  list(): Promise<readonly Purpose[]>
}

const PREFIX = 'purpose.'

export const newestText = ({ id, texts }: Purpose): PurposeText => {
  const text = texts.at(-1)
  if (!text) throw new Error(`the purpose ${id} has no text`)
  return text
}

export function createPurposes({ rows, clock }: { rows: PartitionTable<Columns>; clock: Clock }): Purposes {
  const list = async () => {
    const found: Purpose[] = []
    for await (const { columns } of rows.range(PREFIX, `${PREFIX}~`)) found.push(fromJsonColumns<Purpose>(columns))
    return found
  }
  return {
    list,
    get: async (id) => {
      const row = await rows.get(PREFIX + id)
      return row && fromJsonColumns<Purpose>(row.columns)
    },
    put: async (id, input) => {
      for (let attempt = 0; attempt < CHANGE_ATTEMPTS_MAX; attempt++) {
        const row = await rows.get(PREFIX + id)
        const known = row && fromJsonColumns<Purpose>(row.columns)
        if (!known && (await list()).length >= PURPOSES_MAX)
          return new Problem('conflict', `There are ${PURPOSES_MAX} purposes, which is the most.`)
        const next = known ? changed(known, input, clock.now()) : made(id, input, clock.now())
        if (next instanceof Problem || next === known) return next
        const columns = toJsonColumns(next)
        const result = await (row ? rows.replace(PREFIX + id, columns, row.etag) : rows.insert(PREFIX + id, columns))
        if (result.kind === 'written') return next
      }
      throw new Error(`others are changing the purpose ${id} at the moment`)
    },
  }
}

const made = (id: PurposeId, { title, region, text }: PurposeInput, atMs: number): Purpose => ({
  id,
  title,
  region,
  texts: [{ version: 1, text, atMs }],
})

function changed(known: Purpose, { title, region, text }: PurposeInput, atMs: number): Purpose | Problem {
  if (region !== known.region)
    return new Problem('conflict', `The region of a purpose stays as it is, "${known.region}": make another purpose.`)
  const { text: newest, version } = newestText(known)
  if (newest === text) return title === known.title ? known : { ...known, title }
  if (known.texts.length >= TEXTS_MAX)
    return new Problem('conflict', `The purpose has had ${TEXTS_MAX} texts, which is the most: make another one.`)
  return { ...known, title, texts: [...known.texts, { version: version + 1, text, atMs }] }
}
