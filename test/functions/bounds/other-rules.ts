import { tiers } from '../../../src/tenants/tiers'
import { backendBody, chatAlias, stampBody, tenantBody } from '../control-plane-fixtures'
import type { Rule } from './rule'
import { accountOf, deploymentOf } from './sound-models'
import type { World } from './world'

const KEYS = 'POST /api/tenant/keys'
const STAMPS = 'POST /api/platform/stamps'
const SETTINGS = 'PUT /api/platform/registration-settings'
const MOVE = 'POST /api/platform/tenants/{tenantId}/move'
const PATCH = 'PATCH /api/platform/tenants/{tenantId}'

const { premium } = tiers
const [account = ''] = stampBody.modelAccountIds
const noStamp = `stm_${'0'.repeat(26)}`
const key = (change: object) => () => ({ name: 'a key', ...change })
const stamp = (change: object) => () => ({ ...stampBody, ...change })

/** The hand clock stands at 2026-01-01T00:00:00Z. */
const keyRules: readonly Rule[] = [
  {
    what: 'a key ends in the future',
    operation: KEYS,
    refused: key({ expiresAt: '2026-01-01T00:00:00Z' }),
    path: 'expiresAt',
    says: /future/,
    taken: key({ expiresAt: '2026-01-01T00:00:00.001Z' }),
  },
  {
    what: 'a key opens aliases that there are',
    operation: KEYS,
    refused: key({ aliases: ['chat', 'chat100'] }),
    path: 'aliases.1',
    says: /chat1, chat2/,
    taken: key({ aliases: ['chat', 'chat99'] }),
  },
  {
    what: 'a key has each scope once',
    operation: KEYS,
    refused: key({ scopes: ['admin', 'admin'] }),
    path: 'scopes',
    says: /twice/,
    taken: key({ scopes: ['admin', 'inference'] }),
  },
  {
    what: 'a key has no limit above those of its tenant’s tier',
    operation: KEYS,
    refused: key({ limits: { tokensPerMinute: premium.limitsMax.tokensPerMinute + 1 } }),
    path: 'limits.tokensPerMinute',
    says: /premium tier allows 1 to 100000000/,
    taken: key({ limits: { tokensPerMinute: premium.limitsMax.tokensPerMinute } }),
  },
]

const stampRules: readonly Rule[] = [
  {
    what: 'a stamp names each account once, however it is written',
    operation: STAMPS,
    refused: stamp({ modelAccountIds: [account, account.toUpperCase().replace('/SUBSCRIPTIONS', '/subscriptions')] }),
    path: 'modelAccountIds',
    says: /once/,
    taken: stamp({ modelAccountIds: [account, `${account}2`] }),
  },
]

const settings = (change: object) => (world: World) => ({
  mode: 'open',
  tier: 'free',
  regions: [tenantBody.region],
  aliases: [chatAlias(world.backendId)],
  ...change,
})
const named = (count: number) => (world: World) => ({
  ...settings({})(world),
  aliases: Array.from({ length: count }, (_, i) => ({ ...chatAlias(world.backendId), name: `chat${i}` })),
})

/** Whoever registers is made of the settings: what they would be refused for, the settings are. */
const registrationRules: readonly Rule[] = [
  {
    what: 'what strangers get leads to backends that there are',
    operation: SETTINGS,
    refused: settings({ aliases: [chatAlias(`bke_${'0'.repeat(26)}`)] }),
    path: 'aliases.0.groups.0.members.0.backendId',
    says: /lists them/,
    taken: settings({}),
  },
  {
    what: 'strangers get each alias once',
    operation: SETTINGS,
    refused: (world) => settings({ aliases: [chatAlias(world.backendId), chatAlias(world.backendId)] })(world),
    path: 'aliases.1.name',
    says: /unique/,
    taken: settings({}),
  },
  {
    what: 'strangers get no more aliases than their tier has',
    operation: SETTINGS,
    refused: named(6),
    path: 'aliases',
    says: /at most 5/,
    taken: named(5),
  },
  {
    what: 'strangers are at home where operators let them',
    operation: 'POST /api/registrations',
    refused: () => ({ ...tenantBody, region: 'elsewhere' }),
    path: 'region',
    says: /one of .*swedencentral/,
    taken: () => tenantBody,
  },
]

const moved = (models: object) => () => ({ models })
const ofOneWithoutAliases = ({ changedTenantId }: World) => ({ tenantId: changedTenantId })
const ofActive = ({ tenantId }: World) => ({ tenantId })

/** A move is refused before anything of it begins. */
const moveRules: readonly Rule[] = [
  {
    what: 'a move goes somewhere',
    operation: MOVE,
    refused: () => ({}),
    path: '',
    says: /"data", "models", "stampId"/,
  },
  {
    what: 'a move goes to a stamp that there is',
    operation: MOVE,
    refused: () => ({ stampId: noStamp }),
    path: 'stampId',
    says: /lists them/,
  },
  {
    what: 'a move to a stamp takes something along',
    operation: MOVE,
    refused: ({ stampId }: World) => ({ stampId }),
    path: 'stampId',
    says: /Nothing of this tenant is made on a stamp/,
  },
  {
    what: 'a move of models says what to make for every alias',
    operation: MOVE,
    refused: moved({ isolation: 'dedicated', aliases: [deploymentOf({ name: 'chat' })] }),
    path: 'models.aliases',
    says: /"chat1", deployment: Must say/,
  },
  {
    what: 'a move of models names aliases that there are, whatever else is wrong with it',
    operation: MOVE,
    refused: moved({ isolation: 'dedicated', aliases: [deploymentOf({ name: 'nobody' })] }),
    path: 'models.aliases.0.name',
    says: /no alias of this name/,
  },
  {
    what: 'a move of models knows its aliases',
    operation: MOVE,
    refused: moved({ isolation: 'shared', aliases: [{ name: 'nobody' }] }),
    params: ofOneWithoutAliases,
    path: 'models.aliases.0.name',
    says: /no alias of this name/,
  },
  {
    what: 'a move to an account of the tenant’s says which',
    operation: MOVE,
    refused: moved({ isolation: 'tenant-owned' }),
    path: 'models.ownAccount',
    says: /where the tenant’s own account is/,
  },
  {
    what: 'an account comes with a move to it only',
    operation: MOVE,
    refused: moved({ isolation: 'shared', ownAccount: accountOf('identity') }),
    params: ofOneWithoutAliases,
    path: 'models.ownAccount',
    says: /tenant-owned/,
  },
].map((rule) => ({ params: ofActive, ...rule }))

const ofOwn = ({ ownTenantId }: World) => ({ tenantId: ownTenantId })
const ownAlias = deploymentOf({ name: 'chat', model: 'gpt-4.1-mini' })

/** What was made for a tenant stays as it was made. */
const changeRules: readonly Rule[] = [
  {
    what: 'an alias with models of its own is not added later',
    operation: PATCH,
    params: ofOwn,
    refused: () => ({ aliases: [ownAlias, { ...ownAlias, name: 'other' }] }),
    path: 'aliases.1.name',
    says: /cannot be added later/,
    taken: () => ({ aliases: [ownAlias] }),
  },
  {
    what: 'the model behind an alias of a tenant’s own stays',
    operation: PATCH,
    params: ofOwn,
    refused: () => ({ aliases: [{ ...ownAlias, model: 'gpt-4.1' }] }),
    path: 'aliases.0.model',
    says: /cannot be changed/,
    taken: () => ({ aliases: [{ ...ownAlias, outputTokensMax: 100 }] }),
  },
  {
    what: 'a tier is one that the tenant’s limits fit',
    operation: PATCH,
    refused: () => ({ tier: 'free', limitOverrides: { concurrentCalls: 9 } }),
    path: 'limitOverrides.concurrentCalls',
    says: /1 to 8\b/,
    taken: () => ({ tier: 'free', limitOverrides: { concurrentCalls: 8 } }),
  },
]

const blank = { operation: '', path: 'name', says: />=1|at least 1/ }

/** Blanks around a name do not count, neither against its least nor its greatest length. */
const nameRules: readonly Rule[] = [
  { ...blank, operation: KEYS, refused: key({ name: '   ' }), taken: key({ name: ` ${'x'.repeat(64)} ` }) },
  { ...blank, operation: STAMPS, refused: stamp({ name: ' \t' }), taken: stamp({ name: ` ${'x'.repeat(64)} ` }) },
  {
    ...blank,
    operation: 'POST /api/platform/backends',
    refused: () => ({ ...backendBody, name: ' ' }),
    taken: () => ({ ...backendBody, name: ` ${'x'.repeat(64)} ` }),
  },
  {
    ...blank,
    operation: 'POST /api/platform/tenants',
    path: 'displayName',
    refused: () => ({ ...tenantBody, displayName: ' ' }),
    taken: () => ({ ...tenantBody, displayName: ` ${'x'.repeat(100)} ` }),
  },
].map((rule) => ({ ...rule, what: `${rule.operation}: a name is more than blanks` }))

export const otherRules: readonly Rule[] = [
  ...keyRules,
  ...stampRules,
  ...registrationRules,
  ...moveRules,
  ...changeRules,
  ...nameRules,
]
