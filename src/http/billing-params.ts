import { z } from 'zod'
import { idInput } from '../base/id-input'
import { parseTenantId } from '../base/ids'
import { periodInput } from '../billing/calendar'
import { parseCreditId } from '../billing/credit'
import { pageLimit, tenantParams } from './request-params'

const formats = ['json', 'csv', 'focus'] as const
const PAGE_INVOICES = { most: 120, usual: 60 }
const PAGE_CREDITS = { most: 500, usual: 100 }
/** Of a month that is not issued each tenant's bill is made for it. */
const PAGE_TENANTS = { most: 100, usual: 50 }

export const periodParams = z.object({ period: periodInput })
export const tenantPeriodParams = tenantParams.extend(periodParams.shape)

export const invoiceQuery = z.strictObject({
  format: z
    .enum(formats, { error: `Must be one of: ${formats.join(', ')}` })
    .default('json')
    .meta({
      description: '`focus`: comma-separated, in columns of the FinOps Open Cost and Usage Specification 1.2.',
    }),
})

const behind = { description: 'The `next` of the page before; absent for the first page.' }
const afterTenant = idInput({ prefixes: ['ten'], parse: parseTenantId, of: 'a tenant' })

export const invoicePageQuery = z.strictObject({
  limit: pageLimit(PAGE_INVOICES),
  after: periodInput.optional().meta(behind),
})

export const creditPageQuery = z.strictObject({
  limit: pageLimit(PAGE_CREDITS),
  after: idInput({ prefixes: ['crd'], parse: parseCreditId, of: 'a credit' })
    .optional()
    .meta(behind),
})

export const platformInvoicesQuery = z.strictObject({
  period: periodInput,
  limit: pageLimit(PAGE_TENANTS),
  after: afterTenant.optional().meta(behind),
})

export const marginsQuery = platformInvoicesQuery.extend({
  unprofitable: z.enum(['true', 'false']).default('false').meta({
    description: 'With "true" only tenants that cost more than they bring; a page may then be short and have a `next`.',
  }),
  format: z.enum(['json', 'csv'], { error: 'Must be one of: json, csv' }).default('json'),
})
