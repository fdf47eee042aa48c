import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { platformClient, type PlatformClient } from './platform-client'
import { findDirectory } from './simulator/entra/directories'
import type { Upstream } from './upstream'

/** What `.local/demo.json` holds, for whoever wants to call the running stack. */
export interface Demo {
  readonly baseUrl: string
  readonly simulatorUrl: string | undefined
  readonly operator: { readonly token: string }
  readonly tenants: readonly DemoTenant[]
}

export interface DemoTenant {
  readonly id: string
  readonly name: string
  readonly apiKey: string
  readonly aliases: readonly string[]
  readonly tier: string
  readonly isolation: { readonly models: string; readonly data: string }
}

export interface DemoOptions {
  readonly baseUrl: string
  readonly simulatorUrl: string | undefined
  readonly operatorToken: string
  readonly upstream: Upstream
  /** The file that is written; what an earlier run left there is kept where its keys still work. */
  readonly file: string
}

/** One of each isolation of models and of data. The premium tenant's limits are high enough for load tests on one machine. */
const tenants: readonly DemoSpec[] = [
  {
    displayName: 'Acorn Notes',
    directory: 'acorn',
    isolation: { models: 'shared', data: 'logical' },
    tier: 'standard',
    outputTokensMax: 512,
    limitOverrides: {},
  },
  {
    displayName: 'Birch CRM',
    directory: 'birch',
    isolation: { models: 'own-deployment', data: 'container' },
    tier: 'standard',
    outputTokensMax: 2_048,
    limitOverrides: {},
  },
  {
    displayName: 'Cedar Bank',
    directory: 'cedar',
    isolation: { models: 'dedicated', data: 'account' },
    tier: 'premium',
    outputTokensMax: 4_096,
    limitOverrides: { requestsPerMinute: 600_000, tokensPerMinute: 100_000_000, concurrentCalls: 5_000 },
  },
  {
    displayName: 'Contoso Travel',
    directory: 'contoso',
    isolation: { models: 'tenant-owned', data: 'logical' },
    tier: 'standard',
    outputTokensMax: 2_048,
    limitOverrides: {},
  },
]

interface DemoSpec {
  readonly displayName: string
  /** Of the simulated Entra. */
  readonly directory: string
  readonly isolation: { readonly models: string; readonly data: string }
  readonly tier: string
  readonly outputTokensMax: number
  readonly limitOverrides: object
}

/** Makes the demo's backends, its stamp and its tenants, or brings those of an earlier run up to date. */
export async function seedDemo(options: DemoOptions): Promise<Demo> {
  const platform = platformClient(options.baseUrl, options.operatorToken)
  const { upstream, simulatorUrl } = options
  const chat = await putBackend(platform, 'demo-chat', upstream.chat)
  const embed = await putBackend(platform, 'demo-embed', upstream.embeddings)
  const others = simulatorUrl === undefined ? [] : await putOthers(platform, upstream.chat)
  // What is made for tenants is made by the simulated Resource Manager; a real subscription is nobody's to fill here.
  if (simulatorUrl !== undefined) await putStamp(platform)
  if (simulatorUrl !== undefined) await subscribeOperators(platform, simulatorUrl)
  const earlier = readDemo(options.file)

  const made = await Promise.all(
    tenants.map(async (spec) => {
      const tenant = tenantOf(spec, { chat, embed, others, upstream, simulatorUrl })
      const known = earlier?.tenants.find(({ name }) => name === spec.displayName)
      return (known && (await refreshTenant(options, platform, known, tenant))) ?? makeTenant(platform, tenant)
    }),
  )

  const demo: Demo = {
    baseUrl: options.baseUrl,
    simulatorUrl,
    operator: { token: options.operatorToken },
    tenants: made,
  }
  writeFileSync(options.file, `${JSON.stringify(demo, null, 2)}\n`, { mode: 0o600 })
  return demo
}

/** So that what happens is told by every way that there is; `GET /simulator/messages` shows it. */
async function subscribeOperators(platform: PlatformClient, simulatorUrl: string): Promise<void> {
  const path = '/notifications/subscriptions'
  const { body } = await platform.get<{ subscriptions: readonly { name: string }[] }>(path)
  const wanted = [
    { name: 'demo webhook', channel: { kind: 'webhook', url: `${simulatorUrl}/hooks/operators` } },
    { name: 'demo mail', channel: { kind: 'email', to: ['operators@tenantry.example'] }, severityMin: 'warning' },
    { name: 'demo events', channel: { kind: 'event-grid' } },
  ]
  for (const subscription of wanted)
    if (!body.subscriptions.some(({ name }) => name === subscription.name)) await platform.post(path, subscription)
}

async function putOthers(platform: PlatformClient, target: Upstream['chat']): Promise<{ name: string }[]> {
  const made = otherAliases.map(async ({ name, model, capability, deployment }) => {
    const backendId = await putBackend(platform, `demo-${name}`, { ...target, deployment, model })
    const groups = [{ members: [{ backendId }] }]
    const outputTokensMax = OTHERS_OUTPUT_TOKENS_MAX
    return { name, model, capabilities: [capability], outputTokensMax, groups }
  })
  return Promise.all(made)
}

interface Surroundings {
  readonly chat: string
  readonly embed: string
  readonly others: readonly { readonly name: string }[]
  readonly upstream: Upstream
  readonly simulatorUrl: string | undefined
}

type TenantBody = ReturnType<typeof tenantOf>

/** Without a simulator there is nobody to make anything: then all of them share the backends. */
function tenantOf(spec: DemoSpec, { chat, embed, others, upstream, simulatorUrl }: Surroundings) {
  const { displayName, tier, limitOverrides, outputTokensMax } = spec
  const isolation = simulatorUrl === undefined ? { models: 'shared', data: 'logical' } : spec.isolation
  const route = (backendId: string, modelVersion: string) => {
    if (isolation.models === 'shared') return { groups: [{ members: [{ backendId }] }] }
    return isolation.models === 'tenant-owned' ? {} : { deployment: { modelVersion, capacity: DEMO_CAPACITY } }
  }
  const directoryId = simulatorUrl === undefined ? undefined : findDirectory(spec.directory)?.id
  return {
    displayName,
    contact: { email: `admin@${displayName.toLowerCase().replace(/\W+/g, '-')}.example` },
    tier,
    region: 'swedencentral',
    isolation,
    ...(directoryId === undefined ? {} : { directory: { directoryId } }),
    limitOverrides,
    aliases: [
      {
        name: 'chat',
        model: upstream.chat.model,
        capabilities: ['chat'],
        outputTokensMax,
        ...route(chat, CHAT_VERSION),
      },
      { name: 'embed', model: upstream.embeddings.model, capabilities: ['embeddings'], ...route(embed, EMBED_VERSION) },
      ...(isolation.models === 'shared' ? others : []),
    ],
    ...(isolation.models === 'tenant-owned' ? { ownAccount: { ...ownAccountAt(simulatorUrl), directoryId } } : {}),
  }
}

const CHAT_VERSION = '2025-04-14'
const EMBED_VERSION = '1'
/**
 * Every other surface, for the tenant that shares its models: deployments of the simulator, as it is configured when nobody says
 * otherwise. A real account has them only where somebody has made them.
 */
const otherAliases = [
  { name: 'night', model: 'gpt-4.1-mini', capability: 'batch', deployment: 'gpt-4.1-mini-batch' },
  { name: 'instruct', model: 'gpt-35-turbo-instruct', capability: 'completions', deployment: 'gpt-35-turbo-instruct' },
  { name: 'draw', model: 'gpt-image-1', capability: 'images', deployment: 'gpt-image-1' },
  { name: 'ear', model: 'gpt-4o-transcribe', capability: 'transcription', deployment: 'gpt-4o-transcribe' },
  { name: 'voice', model: 'gpt-4o-mini-tts', capability: 'speech', deployment: 'gpt-4o-mini-tts' },
] as const
const OTHERS_OUTPUT_TOKENS_MAX = 512
/** Thousands of tokens a minute. */
const DEMO_CAPACITY = 50_000

/** The account that the simulated customer has in its own subscription. */
const ownAccountAt = (simulatorUrl: string | undefined) => ({
  endpoint: `${simulatorUrl}/accounts/contoso-owned`,
  deployments: { chat: 'contoso-chat', embed: 'contoso-embed' },
  credential: { kind: 'identity' },
})

const DEMO_GROUP = '/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/tenantry'

async function putStamp(platform: PlatformClient): Promise<void> {
  const name = 'demo'
  const { body } = await platform.get<{ stamps: { name: string }[] }>('/stamps?limit=500')
  if (body.stamps.some((stamp) => stamp.name === name)) return
  await platform.post('/stamps', {
    name,
    region: 'swedencentral',
    resourceGroupId: DEMO_GROUP,
    modelAccountIds: [`${DEMO_GROUP}/providers/Microsoft.CognitiveServices/accounts/simulator`],
  })
}

/** As an earlier version may have written it. */
interface EarlierDemo {
  readonly tenants: readonly EarlierTenant[]
}

type EarlierTenant = Omit<DemoTenant, 'isolation'> & Partial<Pick<DemoTenant, 'isolation'>>

function readDemo(file: string): EarlierDemo | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as EarlierDemo) : undefined
}

/** Undefined when the tenant of an earlier run is gone or its key no longer works. */
async function refreshTenant(
  { baseUrl }: DemoOptions,
  platform: PlatformClient,
  known: EarlierTenant,
  { isolation, aliases }: TenantBody,
): Promise<DemoTenant | undefined> {
  if (known.isolation?.models !== isolation.models || known.isolation.data !== isolation.data)
    throw new Error(`An earlier version made the demo tenant ${known.name} in another way: start once with --reset.`)
  const answer = await fetch(`${baseUrl}/openai/v1/models`, { headers: { 'api-key': known.apiKey } })
  await answer.arrayBuffer()
  if (answer.status !== 200) return undefined
  await platform.patch(`/tenants/${known.id}`, { aliases })
  return { ...known, isolation, aliases: aliases.map(({ name }) => name) }
}

async function makeTenant(platform: PlatformClient, tenant: TenantBody): Promise<DemoTenant> {
  const { tenantId, apiKey } = await platform.onboard(tenant)
  const { displayName, tier, aliases, isolation } = tenant
  return { id: tenantId, name: displayName, apiKey, aliases: aliases.map(({ name }) => name), tier, isolation }
}

/** The backend of this name, made or brought up to date; its id. */
async function putBackend(platform: PlatformClient, name: string, target: Upstream['chat']): Promise<string> {
  const { model: _model, ...fields } = target
  const { body } = await platform.get<{ backends: { id: string; name: string }[] }>('/backends?limit=500')
  const known = body.backends.find((backend) => backend.name === name)
  if (known) await platform.patch(`/backends/${known.id}`, fields)
  return known ? known.id : (await platform.post<{ id: string }>('/backends', { name, ...fields })).id
}
