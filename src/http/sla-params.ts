import { z } from 'zod'
import { idInput } from '../base/id-input'
import { parseIncidentId, parseMaintenanceId } from '../base/ids'
import { objectiveKinds } from '../sla/objective'
import { pageLimit, tenantParams } from './request-params'

const PAGE_INCIDENTS = { most: 200, usual: 50 }

const incidentId = idInput({ prefixes: ['inc'], parse: parseIncidentId, of: 'an incident' })

export const incidentParams = z.object({ incidentId })
export const maintenanceParams = z.object({
  maintenanceId: idInput({ prefixes: ['mnt'], parse: parseMaintenanceId, of: 'a maintenance' }),
})

const limit = pageLimit(PAGE_INCIDENTS)
const after = incidentId.optional().meta({ description: 'The `next` of the page before; absent for the first page.' })

export const tenantIncidentPageQuery = z.strictObject({ limit, after })
export const incidentPageQuery = z.strictObject({
  limit,
  after,
  state: z.enum(['open', 'closed']).optional(),
  tenant: tenantParams.shape.tenantId.optional().meta({ description: 'Only those of this tenant.' }),
  kind: z.enum(objectiveKinds).optional().meta({ description: 'Only of objectives of this kind.' }),
})

export const slaReportQuery = z.strictObject({
  month: z
    .string()
    .regex(/^\d{4}-(?:0[1-9]|1[0-2])$/, 'Must be a month, such as 2026-11')
    .optional()
    .meta({ description: 'This month by default.' }),
  format: z
    .enum(['json', 'html'])
    .optional()
    .meta({ description: '`html` is a page to read and to print; so is what an `Accept: text/html` gets.' }),
})
