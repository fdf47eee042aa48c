import { z } from 'zod'
import { modelName, regionName } from '../tenants/tenant-input'
import { DAYS_SHOWN } from './capacity-view'
import { HORIZON_DAYS } from './outlook'
import { reaches } from './provisioned/terms'

const PAGE_RANKED = { most: 100, usual: 50 }
const PAGE_POOLS = { most: 500, usual: 100 }
const CURSOR_CHARACTERS_MAX = 60
const POOL_CHARACTERS_MAX = 200

/** Digits only, as everywhere: what else JavaScript takes for a number is a mistake of the client's. */
function wholeNumber({ least = 1, most }: { least?: number; most: number }) {
  const number = z.int(`Must be a whole number from ${least} to ${most}`).min(least).max(most)
  return z.preprocess((text) => (typeof text === 'string' && /^\d{1,6}$/.test(text) ? Number(text) : text), number)
}

const after = (charactersMax: number) =>
  z
    .string()
    .min(1)
    .max(charactersMax)
    .optional()
    .meta({ description: 'The `next` of the page before; absent for the first page.' })

export const capacityPageQuery = z.strictObject({
  limit: wholeNumber({ most: PAGE_RANKED.most })
    .prefault(PAGE_RANKED.usual)
    .meta({ description: 'The most that the page may hold.' }),
  after: after(CURSOR_CHARACTERS_MAX),
  kind: z.enum(['tenant', 'deployment']).optional().meta({ description: 'Only these; absent: both.' }),
  withinDays: wholeNumber({ least: 0, most: HORIZON_DAYS })
    .optional()
    .meta({ description: 'Only those of which a limit is expected to be reached within so many days.' }),
})

export const headroomQuery = z.strictObject({ model: modelName, region: regionName.optional() })

export const adviceQuery = z.strictObject({
  limit: wholeNumber({ most: PAGE_POOLS.most })
    .prefault(PAGE_POOLS.usual)
    .meta({ description: 'The most that the page may hold.' }),
  after: after(POOL_CHARACTERS_MAX),
  model: modelName.optional(),
  region: regionName.optional(),
  reach: z
    .enum(reaches)
    .default('global')
    .meta({ description: 'Where the provisioned deployment may serve calls: it decides prices and the fewest units.' }),
})

export const daysQuery = z.strictObject({
  days: wholeNumber({ most: DAYS_SHOWN.most })
    .prefault(DAYS_SHOWN.usual)
    .meta({ description: 'How many days ahead are shown.' }),
})
