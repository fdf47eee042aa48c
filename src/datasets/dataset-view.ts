import { z } from 'zod'
import type { Dataset, DatasetLeakage } from './dataset'
import type { DatasetReport } from './dataset-report'
import type { Fault } from './fault-list'

const time = z.iso.datetime()
const estimate = z
  .object({ lines: z.number(), margin: z.number() })
  .meta({ description: '`margin`: how far off it may be, 19 of 20 times; 0 where nothing was sampled.' })

const leakage = z
  .object({
    validation: z.string(),
    at: time,
    leaked: estimate,
    pairs: z.array(z.object({ trainingLine: z.int(), validationLine: z.int() })),
  })
  .meta({
    id: 'Leakage',
    description: 'Lines of the validation dataset that are trained on too, and the first of them.',
  })

/** A dataset as its tenant sees it. */
export const shownDataset = z
  .object({
    id: z.string(),
    createdAt: time,
    by: z.string(),
    origin: z.enum(['registered', 'job']).meta({ description: '`job`: a job read a file that nobody had registered.' }),
    file: z.object({ id: z.string(), filename: z.string(), bytes: z.int() }),
    method: z.enum(['supervised', 'dpo', 'reinforcement']),
    baseModel: z.string(),
    role: z.enum(['training', 'validation']),
    trainingType: z.enum(['standard', 'globalstandard', 'developertier']),
    state: z.enum(['validating', 'validated', 'failed']),
    validatedAt: time.optional(),
    valid: z.boolean().optional().meta({ description: 'Whether it can be used: it has no errors.' }),
    contentHash: z.string().optional(),
    examples: z.int().optional(),
    tokens: z.number().optional(),
    errors: z.int().optional(),
    warnings: z.int().optional(),
    piiLines: z.int().optional().meta({ description: 'Lines with identifying data.' }),
    fault: z.object({ code: z.string(), message: z.string() }).optional().meta({ description: 'Why it was not read.' }),
    consent: z.object({ purpose: z.string(), by: z.string(), at: time }).optional(),
    validation: z.string().optional(),
    leakage: leakage.optional(),
  })
  .meta({ id: 'Dataset' })

export const shownDatasets = z.object({ datasets: z.array(shownDataset), next: z.string().optional() })

export const shownLeakage = leakage

export function datasetView(dataset: Dataset): z.infer<typeof shownDataset> {
  const { id, createdAt, by, origin, file, method, baseModel, role, trainingType } = dataset
  const { state, consent, validationId, leakage: found } = dataset
  return {
    id,
    createdAt: iso(createdAt),
    by,
    origin,
    file,
    method,
    baseModel,
    role,
    trainingType,
    state: state.kind,
    ...(state.kind === 'validated' ? { validatedAt: iso(state.atMs), ...summaryOf(state.summary) } : {}),
    ...(state.kind === 'failed' ? { fault: { code: state.code, message: state.message } } : {}),
    ...(consent ? { consent: { purpose: consent.purpose, by: consent.by, at: iso(consent.atMs) } } : {}),
    ...(validationId === undefined ? {} : { validation: validationId }),
    ...(found ? { leakage: leakageView(found) } : {}),
  }
}

type Validated = Extract<Dataset['state'], { kind: 'validated' }>

const summaryOf = ({ contentHash, faultsKept: _, ...summary }: Validated['summary']) => ({
  ...summary,
  ...(contentHash === undefined ? {} : { contentHash }),
})

export const leakageView = ({ validationId, atMs, leaked, pairs }: DatasetLeakage): z.infer<typeof leakage> => ({
  validation: validationId,
  at: iso(atMs),
  leaked,
  pairs: [...pairs],
})

const fault = z.object({
  code: z.string(),
  severity: z.enum(['error', 'warning']),
  line: z.int().optional().meta({ description: 'From 1; absent for a fault of the file.' }),
  byteOffset: z.int().optional().meta({ description: 'Of the line’s first byte.' }),
  path: z.string().meta({ description: 'Where in the line; empty for the whole line.' }),
  reason: z.string(),
  valid: z.string().meta({ description: 'What would be valid.' }),
})

const pii = z.object({
  lines: z.int(),
  kinds: z.record(z.string(), z.object({ count: z.int(), lines: z.int(), firstLines: z.array(z.int()) })),
})

const dated = { asOf: z.string(), source: z.string() }
const price = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('tokens'),
    microUsd: z.number(),
    marginMicroUsd: z.number(),
    trainedTokens: z.number(),
    epochs: z.number(),
    ...dated,
  }),
  z.object({ kind: z.literal('hours'), microUsdPerHour: z.number(), pauseMicroUsd: z.number(), ...dated }),
  z.object({ kind: z.literal('unknown'), reason: z.string() }),
])

/** Everything that reading a dataset has found, with one page of its faults. */
export const shownReport = z
  .object({
    dataset: z.string(),
    valid: z.boolean(),
    method: z.string(),
    baseModel: z.string(),
    role: z.string(),
    contentHash: z.string().optional(),
    totals: z.object({
      bytes: z.int(),
      lines: z.int(),
      examples: z.int().meta({ description: 'Lines without errors.' }),
      images: z.int(),
      imageExamples: z.int(),
    }),
    tokens: z.object({
      total: z.number(),
      margin: z.number(),
      byClass: z.record(z.string(), z.number()),
      framing: z.number(),
      images: z.number(),
      imagesOfUnknownSize: z.int(),
    }),
    tokenizerOfModel: z.boolean(),
    longestExample: z.object({ line: z.int(), tokens: z.number(), exact: z.boolean() }).optional(),
    epochs: z.number(),
    price: price.optional(),
    duplicates: z.object({
      exact: estimate,
      normalized: estimate,
      pairs: z.array(z.object({ line: z.int(), firstLine: z.int(), exact: z.boolean() })),
    }),
    pii: pii.optional(),
    leakage: leakage.optional(),
    errors: z.int(),
    warnings: z.int(),
    faultyLines: z.int(),
    faultsByCode: z.record(z.string(), z.int()),
    faultsKept: z.int().meta({ description: 'How many there are to page through; others were only counted.' }),
    faults: z.array(fault),
    next: z.int().optional().meta({ description: 'The `after` of the next page of faults.' }),
  })
  .meta({ id: 'DatasetReport' })

export function reportView(
  dataset: Dataset,
  report: DatasetReport,
  { faults, after }: { faults: readonly Fault[]; after: number },
): z.infer<typeof shownReport> {
  const { valid, method, baseModel, role, contentHash, totals, tokens, tokenizerOfModel } = report
  const { longestExample, epochs, price: priced, duplicates, pii: found, faults: counted } = report
  const kept = dataset.state.kind === 'validated' ? dataset.state.summary.faultsKept : 0
  return {
    dataset: dataset.id,
    valid,
    method,
    baseModel,
    role,
    ...(contentHash === undefined ? {} : { contentHash }),
    totals,
    tokens,
    tokenizerOfModel,
    ...(longestExample ? { longestExample } : {}),
    epochs,
    ...(priced ? { price: priced } : {}),
    duplicates: { ...duplicates, pairs: [...duplicates.pairs] },
    ...(found ? { pii: piiView(found) } : {}),
    ...(dataset.leakage ? { leakage: leakageView(dataset.leakage) } : {}),
    errors: counted.errors,
    warnings: counted.warnings,
    faultyLines: counted.faultyLines,
    faultsByCode: { ...counted.countByCode },
    faultsKept: kept,
    faults: faults.map(faultView),
    ...nextOf({ faults, after, kept }),
  }
}

const piiView = ({ lines, kinds }: NonNullable<DatasetReport['pii']>): z.infer<typeof pii> => ({
  lines,
  kinds: Object.fromEntries(
    Object.entries(kinds).map(([kind, of]) => [kind, { ...of, firstLines: [...of.firstLines] }]),
  ),
})

const faultView = ({ line, byteOffset, ...rest }: Fault): z.infer<typeof fault> => ({
  ...rest,
  ...(line === undefined ? {} : { line }),
  ...(byteOffset === undefined ? {} : { byteOffset }),
})

/** Where the next page of faults begins. */
export function nextOf({ faults, after, kept }: { faults: readonly Fault[]; after: number; kept: number }) {
  const next = after + faults.length
  return faults.length > 0 && next < kept ? { next } : {}
}

const iso = (timeMs: number) => new Date(timeMs).toISOString()
