import { z } from 'zod'
import { csvOf } from '../base/csv'
import { usdText } from './invoice-view'
import type { Margin } from './margins'

const cost = z.object({
  callsMicroUsd: z.int(),
  provisionedMicroUsd: z.int().meta({ description: 'Its share of provisioned throughput, by use.' }),
  trainingMicroUsd: z.int(),
  hostingMicroUsd: z.int(),
  storageMicroUsd: z.int(),
  totalMicroUsd: z.int(),
})

/** What a tenant brings and what it costs, for operators. */
export const shownMargin = z
  .object({
    tenantId: z.string(),
    billedTo: z.string(),
    isIssued: z.boolean().meta({ description: 'Whether its invoice is issued; else closed days count.' }),
    revenueMicroUsd: z.int(),
    cost,
    marginMicroUsd: z.int(),
    isUnprofitable: z.boolean(),
  })
  .meta({ id: 'Margin' })

const costs = [
  'callsMicroUsd',
  'provisionedMicroUsd',
  'trainingMicroUsd',
  'hostingMicroUsd',
  'storageMicroUsd',
  'totalMicroUsd',
] as const

const columns = [
  'tenantId',
  'billedTo',
  'isIssued',
  'revenueUsd',
  'callsUsd',
  'provisionedUsd',
  'trainingUsd',
  'hostingUsd',
  'storageUsd',
  'costUsd',
  'marginUsd',
  'isUnprofitable',
] as const

export const marginsCsv = (margins: readonly Margin[]): string =>
  csvOf(
    columns,
    margins.map((margin) => [
      margin.tenantId,
      margin.billedTo,
      margin.isIssued,
      usdText(margin.revenueMicroUsd),
      ...costs.map((name) => usdText(margin.cost[name])),
      usdText(margin.marginMicroUsd),
      margin.isUnprofitable,
    ]),
  )
