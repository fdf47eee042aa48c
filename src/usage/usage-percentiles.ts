import type { SketchField, UsageSketches } from './usage-sketches'

/** Milliseconds, within SKETCH_ERROR of the true ones; null where there were no such calls. */
export type UsagePercentiles = Readonly<Record<PercentileField, number | null>>

const of = { latency: 'latency', firstByte: 'firstByte', queued: 'queued' } as const satisfies Record<
  SketchField,
  SketchField
>
const shares = { P50: 0.5, P95: 0.95, P99: 0.99 } as const

export type PercentileField = `${(typeof of)[SketchField]}${keyof typeof shares}Ms`

const fields = Object.values(of).flatMap((sketch) =>
  Object.entries(shares).map(([name, share]) => ({ name: `${sketch}${name}Ms` as PercentileField, sketch, share })),
)

/** In the order in which answers have them. */
export const percentileFields: readonly PercentileField[] = fields.map(({ name }) => name)

export function percentilesOf(sketches: UsageSketches): UsagePercentiles {
  const values = fields.map(({ name, sketch, share }) => [name, tenths(sketches[sketch].quantile(share))])
  return Object.fromEntries(values) as UsagePercentiles
}

/** Finer than a tenth the bins of the sketch are of no meaning to anybody. */
const tenths = (ms: number | undefined): number | null => (ms === undefined ? null : Math.round(ms * 10) / 10)
