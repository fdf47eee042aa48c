/** An onboarding of the bench's tenant with one alias. */
export interface Tenant {
  readonly aliases: readonly Alias[]
  readonly [field: string]: unknown
}

interface Alias {
  readonly name: string
  readonly groups: readonly { readonly members: readonly { readonly backendId: string; readonly weight?: number }[] }[]
  readonly [field: string]: unknown
}

/** One option that a tenant can have beyond plain chat, with everything else alike. */
export interface OptionTenant {
  readonly name: string
  readonly isStream: boolean
  /** `another` makes one more backend like the alias's own; its id. */
  readonly change: (tenant: Tenant, another: () => Promise<string>) => Tenant | Promise<Tenant>
}

/** So large that no run reaches them: what is measured is their keeping. */
const TOKENS = 1_000_000_000
const MICRO_USD = 1_000_000_000_000
const budget = (limit: number) => ({ limit })

const withAlias = (tenant: Tenant, change: object): Tenant => ({
  ...tenant,
  aliases: tenant.aliases.map((alias) => ({ ...alias, ...change })),
})

async function withBackends(tenant: Tenant, another: () => Promise<string>, inOneGroup: boolean): Promise<Tenant> {
  const own = tenant.aliases[0]?.groups[0]?.members ?? []
  const other = { backendId: await another() }
  const groups = inOneGroup ? [{ members: [...own, other] }] : [{ members: own }, { members: [other] }]
  return withAlias(tenant, { groups })
}

export const optionTenants: readonly OptionTenant[] = [
  { name: 'nothing: what the method itself shows', isStream: false, change: (tenant) => tenant },
  { name: 'nothing, streamed', isStream: true, change: (tenant) => tenant },
  {
    name: 'two backends by weight',
    isStream: false,
    change: (tenant, another) => withBackends(tenant, another, true),
  },
  {
    name: 'two groups of backends',
    isStream: false,
    change: (tenant, another) => withBackends(tenant, another, false),
  },
  {
    name: 'residency in one region',
    isStream: false,
    change: (tenant) => ({ ...tenant, residency: ['swedencentral'] }),
  },
  {
    name: 'fallback model',
    isStream: false,
    change: (tenant) => {
      const [chat] = tenant.aliases
      const spare = { ...chat, name: 'spare' }
      return { ...tenant, aliases: [...withAlias(tenant, { fallback: 'spare' }).aliases, spare] as readonly Alias[] }
    },
  },
  {
    name: 'hedge, streamed',
    isStream: true,
    change: async (tenant, another) =>
      withAlias(await withBackends(tenant, another, false), { hedge: { afterMs: 60_000, shareMax: 0.05 } }),
  },
  {
    name: "tenant's budgets: tokens and money, day and month",
    isStream: false,
    change: (tenant) => ({
      ...tenant,
      budgetOverrides: {
        tokensPerDay: budget(TOKENS),
        tokensPerMonth: budget(TOKENS),
        microUsdPerDay: budget(MICRO_USD),
        microUsdPerMonth: budget(MICRO_USD),
      },
    }),
  },
  {
    name: "alias's limits",
    isStream: false,
    change: (tenant) =>
      withAlias(tenant, {
        limits: { requestsPerMinute: 600_000, tokensPerMinute: 100_000_000, concurrentCalls: 1_000 },
      }),
  },
  {
    name: "alias's budgets",
    isStream: false,
    change: (tenant) =>
      withAlias(tenant, { budgets: { tokensPerDay: budget(TOKENS), microUsdPerDay: budget(MICRO_USD) } }),
  },
  {
    name: 'prompt filter chunk hidden, streamed',
    isStream: true,
    change: (tenant) => ({ ...tenant, settings: { hidePromptFilterChunk: true } }),
  },
]
