import type { Baseline, Exception } from './baselines'
import type { World } from './world'

const ofTenant = ({ tenantId }: World) => ({ tenantId })
const period = { period: '2026-01' }
const noted = { from: '2026-02-01', to: '2026-03-01', asOf: '2026-01-01', source: 'a contract' }
const rates = { input: 2_000_000, cachedInput: 500_000, imageInput: 2_000_000, output: 8_000_000 }

const prices = [
  { kind: 'tokens', model: 'gpt-4.1', ...rates, batch: rates, ...noted },
  { kind: 'storage', microUsdPerGibMonth: 20_000, ...noted },
  {
    kind: 'provisioned',
    backendId: `bke_${'0'.repeat(26)}`,
    price: { kind: 'per-hour', microUsd: 1_000_000 },
    ...noted,
  },
  {
    kind: 'provisioned',
    backendId: `bke_${'1'.repeat(26)}`,
    price: { kind: 'per-month', microUsd: 1_000_000 },
    ...noted,
  },
  {
    kind: 'training',
    model: 'gpt-4.1',
    trainingType: 'standard',
    price: { kind: 'per-million-tokens', microUsd: 1 },
    ...noted,
  },
  { kind: 'training', model: 'o4-mini', trainingType: 'standard', price: { kind: 'per-hour', microUsd: 1 }, ...noted },
  { kind: 'hosting', sku: 'Standard', microUsdPerHour: 1_700_000, ...noted },
]

const common = {
  services: { batch: 0, training: 1_000, hosting: 1_000, storage: 0, provisioned: -500 },
  provisioned: 'by-cost',
  ownAccount: 'free',
}
const tokenPricing = {
  markUpBasisPoints: 2_500,
  models: { 'gpt-4.1': { input: 2_500_000, cachedInput: 600_000, output: 9_000_000 } },
}
const plans = [
  {
    kind: 'per-request',
    tiers: [
      { upToRequests: 1_000, microUsdPerRequest: 5_000 },
      { upToRequests: null, microUsdPerRequest: 4_000 },
    ],
    ...common,
  },
  { kind: 'per-token', ...tokenPricing, ...common },
  {
    kind: 'subscription',
    microUsdPerMonth: 99_000_000,
    quota: { kind: 'tokens', included: 10_000_000, microUsdPerMillion: 3_000_000 },
    ...common,
  },
  {
    kind: 'subscription',
    microUsdPerMonth: 99_000_000,
    quota: { kind: 'requests', included: 10_000, microUsdPerRequest: 4_000 },
    ...common,
  },
  { kind: 'minimum', microUsdPerMonthMin: 50_000_000, ...tokenPricing, ...common },
]

const anywhere = (says: RegExp, field: RegExp): Exception => ({ field, status: 400, says })

/** Rules between fields, and of days: those that are priced or billed already, and those too far ahead. */
const priceRules = [
  anywhere(
    /Must be a day after "from"|Must be \S+ or later|Must still have|Overlaps/,
    /(^entries|\.from|\.to|\.model|\.price.*|\.kind)$/,
  ),
]
const planRules = [anywhere(/Must be \S+ or earlier/, /^from$/), anywhere(/Must be null|Must be more than/, /tiers/)]

export const billingBaselines: Readonly<Record<string, Baseline>> = {
  'GET /api/platform/invoices': { query: period },
  'GET /api/platform/margins': { query: period },
  'PUT /api/platform/prices': { bodies: () => prices.map((entry) => ({ entries: [entry] })), exceptions: priceRules },
  'GET /api/platform/tenants/{tenantId}/plan': { params: ofTenant },
  'PUT /api/platform/tenants/{tenantId}/plan': {
    params: ofTenant,
    bodies: () => plans.map((plan) => ({ from: '2026-02-01', plan })),
    exceptions: planRules,
  },
  'GET /api/platform/tenants/{tenantId}/credits': { params: ofTenant },
  'POST /api/platform/tenants/{tenantId}/credits': {
    params: ofTenant,
    bodies: () => [{ kind: 'credit', microUsd: 5_000_000, reason: 'an outage', ...period }],
  },
  'GET /api/platform/tenants/{tenantId}/invoices/{period}': { params: (world) => ({ ...ofTenant(world), ...period }) },
  'POST /api/platform/tenants/{tenantId}/invoices/{period}/issue': {
    params: (world) => ({ ...ofTenant(world), ...period }),
    // The month has only begun: whoever is told so has named one.
    answers: { status: 409, says: /is not closed/ },
  },
  'GET /api/tenant/invoices/{period}': { params: () => period },
}
