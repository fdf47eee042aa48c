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
}

export interface DemoOptions {
  readonly baseUrl: string
  readonly simulatorUrl: string | undefined
  readonly operatorToken: string
  readonly upstream: Upstream
  /** The file that is written; what an earlier run left there is kept where its keys still work. */
  readonly file: string
}

/** The premium tenant's limits are high enough for load tests on one machine. */
const tenants = [
  {
    displayName: 'Acorn Notes',
    directory: 'acorn',
    data: 'logical',
    tier: 'free',
    outputTokensMax: 512,
    limitOverrides: {},
  },
  {
    displayName: 'Birch CRM',
    directory: 'birch',
    data: 'container',
    tier: 'standard',
    outputTokensMax: 2_048,
    limitOverrides: {},
  },
  {
    displayName: 'Cedar Bank',
    directory: 'cedar',
    data: 'container',
    tier: 'premium',
    outputTokensMax: 4_096,
    limitOverrides: { requestsPerMinute: 600_000, tokensPerMinute: 100_000_000, concurrentCalls: 5_000 },
  },
] as const

/** Makes the demo's backends and tenants, or brings those of an earlier run up to date. */
export async function seedDemo(options: DemoOptions): Promise<Demo> {
  const platform = platformClient(options.baseUrl, options.operatorToken)
  const chat = await putBackend(platform, 'demo-chat', options.upstream.chat)
  const embed = await putBackend(platform, 'demo-embed', options.upstream.embeddings)
  const earlier = readDemo(options.file)

  const made: DemoTenant[] = []
  for (const tenant of tenants) {
    const aliases = [
      {
        name: 'chat',
        model: options.upstream.chat.model,
        capabilities: ['chat'],
        groups: [{ members: [{ backendId: chat }] }],
        outputTokensMax: tenant.outputTokensMax,
      },
      {
        name: 'embed',
        model: options.upstream.embeddings.model,
        capabilities: ['embeddings'],
        groups: [{ members: [{ backendId: embed }] }],
      },
    ]
    const known = earlier?.tenants.find(({ name }) => name === tenant.displayName)
    const kept = known && (await refreshTenant(options, platform, known, aliases))
    made.push(kept ?? (await makeTenant(platform, tenant, aliases, options.simulatorUrl !== undefined)))
  }

  const demo: Demo = {
    baseUrl: options.baseUrl,
    simulatorUrl: options.simulatorUrl,
    operator: { token: options.operatorToken },
    tenants: made,
  }
  writeFileSync(options.file, `${JSON.stringify(demo, null, 2)}\n`, { mode: 0o600 })
  return demo
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

async function makeTenant(
  platform: PlatformClient,
  { displayName, directory, data, tier, limitOverrides }: (typeof tenants)[number],
  aliases: readonly { name: string }[],
  signsIn: boolean,
): Promise<DemoTenant> {
  const created = await platform.onboard({
    displayName,
    contact: { email: `admin@${displayName.toLowerCase().replace(/\W+/g, '-')}.example` },
    tier,
    region: 'swedencentral',
    isolation: { data },
    ...(signsIn ? { directory: { directoryId: findDirectory(directory)?.id } } : {}),
    limitOverrides,
    aliases,
  })
  return {
    id: created.tenantId,
    name: displayName,
    apiKey: created.apiKey,
    aliases: aliases.map(({ name }) => name),
    tier,
  }
}

/** The backend of this name, made or brought up to date; its id. */
async function putBackend(platform: PlatformClient, name: string, target: Upstream['chat']): Promise<string> {
  const { model: _model, ...fields } = target
  const { body } = await platform.get<{ backends: { id: string; name: string }[] }>('/backends?limit=500')
  const known = body.backends.find((backend) => backend.name === name)
  if (known) await platform.patch(`/backends/${known.id}`, fields)
  return known ? known.id : (await platform.post<{ id: string }>('/backends', { name, ...fields })).id
}
