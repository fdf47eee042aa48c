import { budgetNames } from '../../../src/tenants/budget'
import { tiers } from '../../../src/tenants/tiers'
import { chatAlias, tenantBody } from '../control-plane-fixtures'
import type { Rule } from './rule'
import { accountOf, deploymentOf } from './sound-models'
import type { World } from './world'

const POST = 'POST /api/platform/tenants'

const ownAlias = { name: 'chat', model: 'gpt-4.1-mini' }
const shared =
  (...changes: object[]) =>
  (world: World) => ({
    ...tenantBody,
    aliases: changes.map((change) => ({ ...chatAlias(world.backendId), ...change })),
  })
const dedicated = (change: object) => () => ({
  ...tenantBody,
  isolation: { models: 'dedicated' },
  aliases: [deploymentOf(ownAlias)],
  ...change,
})
const owned =
  (account: object | undefined, change: object = {}) =>
  () => ({
    ...tenantBody,
    isolation: { models: 'tenant-owned' },
    aliases: [ownAlias],
    ownAccount: account,
    ...change,
  })
const byIdentity = accountOf('identity')
const manyAliases = Array.from({ length: 100 }, (_, i) => ({ ...ownAlias, name: `chat${i}` }))
const manyDeployments = Object.fromEntries(manyAliases.map(({ name }) => [name, 'gpt']))

/** What a tenant with models of its own must say of them. */
const modelRules: readonly Rule[] = [
  {
    what: 'an alias that shares backends makes no deployment',
    operation: POST,
    refused: shared({ deployment: { modelVersion: '1', capacity: 1 } }),
    path: 'aliases.0.deployment',
    says: /own-deployment.*dedicated/,
    taken: shared({}),
  },
  {
    what: 'an alias that shares backends names some',
    operation: POST,
    refused: shared({ groups: [] }),
    path: 'aliases.0.groups',
    says: /at least one group/,
    taken: shared({}),
  },
  {
    what: 'an account is of a tenant that owns its models',
    operation: POST,
    refused: dedicated({ ownAccount: byIdentity }),
    path: 'ownAccount',
    says: /tenant-owned/,
    taken: dedicated({}),
  },
  {
    what: 'deployments are made for aliases',
    operation: POST,
    refused: dedicated({ aliases: [] }),
    path: 'aliases',
    says: /at least one alias/,
    taken: dedicated({}),
  },
  {
    what: 'a dedicated alias says what to make',
    operation: POST,
    refused: dedicated({ aliases: [ownAlias] }),
    path: 'aliases.0.deployment',
    says: /modelVersion.*sku.*capacity/,
    taken: dedicated({ isolation: { models: 'own-deployment' } }),
  },
  {
    what: 'an account of its own is named',
    operation: POST,
    refused: owned(undefined),
    path: 'ownAccount',
    says: /where the tenant’s own account is/,
    taken: owned(byIdentity),
  },
  {
    what: 'in an account of its own nothing is made',
    operation: POST,
    refused: owned(byIdentity, { aliases: [deploymentOf(ownAlias)] }),
    path: 'aliases.0.deployment',
    says: /ownAccount\.deployments/,
    taken: owned(byIdentity),
  },
  {
    what: 'each alias has a deployment in the account',
    operation: POST,
    refused: owned({ ...byIdentity, deployments: {} }),
    path: 'ownAccount.deployments.chat',
    says: /"chat"/,
    taken: owned(byIdentity),
  },
  {
    what: 'each deployment in the account has an alias',
    operation: POST,
    refused: owned({ ...byIdentity, deployments: { chat: 'gpt', idle: 'gpt' } }),
    path: 'ownAccount.deployments.idle',
    says: /no alias "idle"/,
    taken: owned({ ...byIdentity, deployments: manyDeployments }, { tier: 'premium', aliases: manyAliases }),
  },
  {
    what: 'a token is of a directory, and a key of none',
    operation: POST,
    refused: owned({ ...byIdentity, directoryId: undefined }),
    path: 'ownAccount.directoryId',
    says: /directory/,
    taken: owned({ ...accountOf('secret'), directoryId: undefined }),
  },
]

const aliasRules: readonly Rule[] = [
  {
    what: 'names of aliases are unique',
    operation: POST,
    refused: shared({}, {}),
    path: 'aliases.1.name',
    says: /unique/,
    taken: shared({}, { name: 'other' }),
  },
  {
    what: 'of a model nobody knows it is said what it can do',
    operation: POST,
    refused: shared({ model: 'llama3.2' }),
    path: 'aliases.0.capabilities',
    says: /\["chat"\]/,
    taken: shared({ model: 'llama3.2', capabilities: ['chat'] }),
  },
  {
    what: 'a backend is one that there is',
    operation: POST,
    refused: shared({ groups: [{ members: [{ backendId: `bke_${'0'.repeat(26)}` }] }] }),
    path: 'aliases.0.groups.0.members.0.backendId',
    says: /lists them/,
    taken: shared({}),
  },
]

const limitNames = ['requestsPerMinute', 'tokensPerMinute', 'concurrentCalls'] as const

/** The most of everything that a tier sells. */
const tierRules: readonly Rule[] = Object.values(tiers).flatMap(
  ({ name, limitsMax, budgetsMax, outputTokensMax, aliasesMax }) => {
    const tier = (change: object) => () => ({ ...tenantBody, tier: name, ...change })
    const capped = (cap: number) => (world: World) => ({ ...shared({ outputTokensMax: cap })(world), tier: name })
    const aliases = (count: number) => (world: World) => ({
      ...shared(...Array.from({ length: count }, (_, i) => ({ name: `chat${i}` })))(world),
      tier: name,
    })
    return [
      ...limitNames.map((limit) => ({
        what: `${name} has at most ${limitsMax[limit]} ${limit}`,
        operation: POST,
        refused: tier({ limitOverrides: { [limit]: limitsMax[limit] + 1 } }),
        path: `limitOverrides.${limit}`,
        says: new RegExp(`1 to ${limitsMax[limit]}\\b`),
        taken: tier({ limitOverrides: { [limit]: limitsMax[limit] } }),
      })),
      ...budgetNames.flatMap((budget) => {
        const most = budgetsMax[budget]
        if (most === undefined) return []
        const of = (limit: number) => ({ [budget]: { limit } })
        const says = new RegExp(`1 to ${most}\\b`)
        return [
          {
            what: `${name} has at most ${most} as its ${budget}`,
            operation: POST,
            refused: tier({ budgetOverrides: of(most + 1) }),
            path: `budgetOverrides.${budget}.limit`,
            says,
            taken: tier({ budgetOverrides: of(most) }),
          },
          {
            what: `${name} has at most ${most} as the ${budget} of an alias`,
            operation: POST,
            refused: (world: World) => ({ ...shared({ budgets: of(most + 1) })(world), tier: name }),
            path: `aliases.0.budgets.${budget}.limit`,
            says,
            taken: (world: World) => ({ ...shared({ budgets: of(most) })(world), tier: name }),
          },
        ]
      }),
      ...limitNames.map((limit) => ({
        what: `${name} has at most ${limitsMax[limit]} ${limit} for an alias`,
        operation: POST,
        refused: (world: World) => ({ ...shared({ limits: { [limit]: limitsMax[limit] + 1 } })(world), tier: name }),
        path: `aliases.0.limits.${limit}`,
        says: new RegExp(`1 to ${limitsMax[limit]}\\b`),
        taken: (world: World) => ({ ...shared({ limits: { [limit]: limitsMax[limit] } })(world), tier: name }),
      })),
      {
        what: `${name} has at most ${outputTokensMax} output tokens`,
        operation: POST,
        refused: capped(outputTokensMax + 1),
        path: 'aliases.0.outputTokensMax',
        says: new RegExp(`1 to ${outputTokensMax}\\b`),
        taken: capped(outputTokensMax),
      },
      {
        what: `${name} has at most ${aliasesMax} aliases`,
        operation: POST,
        refused: aliases(aliasesMax + 1),
        path: 'aliases',
        says: new RegExp(`\\b${aliasesMax}\\b`),
        taken: aliases(aliasesMax),
      },
    ]
  },
)

export const tenantRules: readonly Rule[] = [...modelRules, ...aliasRules, ...tierRules]
