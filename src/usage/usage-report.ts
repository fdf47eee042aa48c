import { z } from 'zod'
import { intervals } from './usage-query'
import { groupFields, sumFields } from './usage-sums'

const fields = <Name extends string, Field extends z.ZodType>(names: readonly Name[], field: Field) =>
  Object.fromEntries(names.map((name) => [name, field])) as Record<Name, Field>

const sums = z.object(fields(sumFields, z.number()))

const row = sums.extend({
  ...fields(groupFields, z.string().nullable().optional()),
  start: z.iso.datetime().optional().meta({ description: 'Start of the interval; absent with interval=none.' }),
})

/** The answer of `queryUsage`, for the API's documentation. */
export const usageReport = z
  .object({
    from: z.iso.datetime(),
    to: z.iso.datetime().meta({ description: 'Exclusive.' }),
    interval: z.enum(intervals),
    groupBy: z.array(z.enum(groupFields)),
    totals: sums,
    rows: z.array(row),
  })
  .meta({ id: 'UsageReport' })
