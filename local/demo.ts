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
    tier: 'free',
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
  // A real account has a batch deployment only where somebody has made one.
  const batch =
    simulatorUrl === undefined
      ? undefined
      : await putBackend(platform, 'demo-batch', { ...upstream.chat, deployment: BATCH_DEPLOYMENT })
  // What is made for tenants is made by the simulated Resource Manager; a real subscription is nobody's to fill here.
  if (simulatorUrl !== undefined) await putStamp(platform)
  const earlier = readDemo(options.file)

  const made = await Promise.all(
    tenants.map(async (spec) => {
      const tenant = tenantOf(spec, { chat, embed, batch, upstream, simulatorUrl })
      const known = earlier?.tenants.find(({ name }) => name === spec.displayName)
      return (known && (await refreshTenant(options, platform, known, tenant.aliases))) ?? makeTenant(platform, tenant)
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

interface Surroundings {
  readonly chat: string
  readonly embed: string
  readonly batch: string | undefined
  readonly upstream: Upstream
  readonly simulatorUrl: string | undefined
}

type TenantBody = ReturnType<typeof tenantOf>

/** Without a simulator there is nobody to make anything: then all of them share the backends. */
function tenantOf(spec: DemoSpec, { chat, embed, batch, upstream, simulatorUrl }: Surroundings) {
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
      ...(batch !== undefined && isolation.models === 'shared'
        ? [
            {
              name: 'night',
              model: upstream.chat.model,
              capabilities: ['batch'],
              outputTokensMax,
              groups: [{ members: [{ backendId: batch }] }],
            },
          ]
        : []),
    ],
    ...(isolation.models === 'tenant-owned' ? { ownAccount: { ...ownAccountAt(simulatorUrl), directoryId } } : {}),
  }
}

const CHAT_VERSION = '2025-04-14'
const EMBED_VERSION = '1'
/** Of the simulator, as it is configured when nobody says otherwise. */
const BATCH_DEPLOYMENT = 'gpt-4.1-mini-batch'
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

function readDemo(file: string): Demo | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Demo) : undefined
}

/** Undefined when the tenant of an earlier run is gone or its key no longer works. */
async function refreshTenant(
  { baseUrl }: DemoOptions,
  platform: PlatformClient,
  known: DemoTenant,
  aliases: readonly object[],
): Promise<DemoTenant | undefined> {
  const answer = await fetch(`${baseUrl}/openai/v1/models`, { headers: { 'api-key': known.apiKey } })
  await answer.arrayBuffer()
  if (answer.status !== 200) return undefined
  await platform.patch(`/tenants/${known.id}`, { aliases })
  return known
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
