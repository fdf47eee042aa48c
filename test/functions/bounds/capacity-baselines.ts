import type { Baseline } from './baselines'
import type { World } from './world'

const ofTenant = ({ tenantId }: World) => ({ tenantId })
const ofBackend = ({ backendId }: World) => ({ backendId })

const price = { hourMicroUsd: 1_000_000, monthMicroUsd: 260_000_000, yearMicroUsd: 2_652_000_000 }
const units = { unitsMin: 100_000, unitsStep: 5 }
const terms = {
  asOf: '2026-11-01',
  source: 'an agreement',
  prices: { global: price, 'data-zone': price, regional: price },
  models: {
    'gpt-4.1': { inputTokensPerMinute: 3_000, outputWeight: 4, global: units, 'data-zone': units, regional: units },
  },
}

/** Forecasts, quotas and terms. */
export const capacityBaselines: Readonly<Record<string, Baseline>> = {
  'GET /api/platform/capacity/headroom': { query: { model: 'gpt-4.1' } },
  'PUT /api/platform/capacity/terms': {
    bodies: () => [terms],
    exceptions: [{ field: /units(Min|Step)$/, status: 400, says: /unitsStep must be unitsMin or less/ }],
  },
  'GET /api/platform/backends/{backendId}/capacity': { params: ofBackend },
  'PUT /api/platform/backends/{backendId}/capacity': {
    params: ofBackend,
    bodies: () => [{ tokensPerMinute: 100_000, requestsPerMinute: 600, model: 'gpt-4.1' }],
  },
  'GET /api/platform/tenants/{tenantId}/forecast': { params: ofTenant },
}
