import { deploymentOf, DIRECTORY } from './sound-models'
import type { AuditChain, AuditEntry } from '../../../src/audit/audit-log'
import { TenantScope } from '../../../src/storage/tenant-scope'
import { createIdMaker, parseTenantId, type TenantId } from '../../../src/base/ids'
import { systemChance } from '../../../src/base/chance'
import { Problem } from '../../../src/base/problem'
import { tenantInput } from '../../../src/tenants/tenant-input'
import {
  chatAlias,
  createBackend,
  createKey,
  createStamp,
  createTenant,
  expectStatus,
  tenantBody,
} from '../control-plane-fixtures'
import { serveControlPlane, type ControlPlaneServer } from '../control-plane-server'

export const OWNER = '99999999-0000-4000-8000-0000000000a1'
export const OTHER_OWNER = '99999999-0000-4000-8000-0000000000a2'

/** A platform with one of everything that the baselines change. */
export interface World {
  readonly server: ControlPlaneServer
  readonly backendId: string
  readonly stampId: string
  /** Of the premium tier, with aliases from `chat` and `chat1` to `chat99`. */
  readonly tenantId: TenantId
  readonly apiKey: string
  /** A key of it beside `apiKey`. */
  readonly keyId: string
  /** Whose record is changed. */
  readonly changedTenantId: TenantId
  /** Not activated yet: nothing of it can be moved. */
  readonly newTenantId: string
  /** With a deployment of its own behind its one alias. */
  readonly ownTenantId: string
}

export async function makeWorld(): Promise<World> {
  const server = await serveControlPlane()
  const backendId = await createBackend(server)
  const stampId = await createStamp(server)
  const aliases = Array.from({ length: 100 }, (_, i) => ({
    ...chatAlias(backendId),
    name: i === 0 ? 'chat' : `chat${i}`,
  }))
  const { tenantId, apiKey } = await createTenant(server, { tier: 'premium', aliases })
  const changed = await createTenant(server, { tier: 'premium' })
  const { keyId } = await createKey(server, apiKey)
  const path = `/api/platform/tenants/${tenantId}`
  expectStatus(await server.operate('POST', `${path}/directories`, { directoryId: DIRECTORY }), 201)
  for (const objectId of [OWNER, OTHER_OWNER]) {
    const member = { directoryId: DIRECTORY, objectId, role: 'owner' }
    expectStatus(await server.operate('POST', `${path}/members`, member), 201)
  }
  const newTenantId = await registered(server, tenantBody)
  const aliasesOfOwn = [deploymentOf({ name: 'chat', model: 'gpt-4.1-mini' })]
  const ownTenantId = await registered(server, {
    ...tenantBody,
    isolation: { models: 'dedicated' },
    aliases: aliasesOfOwn,
  })
  return {
    server,
    backendId,
    stampId,
    tenantId: tenantIdOf(tenantId),
    apiKey,
    keyId,
    changedTenantId: tenantIdOf(changed.tenantId),
    newTenantId,
    ownTenantId,
  }
}

/** Seen by operators only: no onboarding has activated it. */
async function registered({ parts: { tenants }, clock }: ControlPlaneServer, body: object): Promise<TenantId> {
  const tenantId = createIdMaker({ clock, chance: systemChance() }).tenantId()
  const record = await tenants.register(tenantId, tenantInput.parse(body))
  if (record instanceof Problem) throw new Error(record.public)
  return tenantId
}

function tenantIdOf(text: string): TenantId {
  const tenantId = parseTenantId(text)
  if (!tenantId) throw new Error(`${text} is no id of a tenant`)
  return tenantId
}

/** How many entries say that something was refused, and how many that it was done or failed. */
export async function auditOf({ server, tenantId, changedTenantId }: World) {
  const scopes = [tenantId, changedTenantId].map((id) => TenantScope.ofPlatform(id))
  const chains = await Promise.all((['platform', ...scopes] as const).map((chain) => entriesOf(server, chain)))
  const entries = chains.flat()
  const refused = entries.filter(({ outcome }) => outcome === 'refused').length
  return { refused, done: entries.length - refused }
}

async function entriesOf({ parts: { audit } }: ControlPlaneServer, chain: AuditChain): Promise<readonly AuditEntry[]> {
  const entries: AuditEntry[] = []
  for (;;) {
    const page = await audit.page(chain, { after: entries.length, limit: 1_000 })
    if (page.length === 0) return entries
    entries.push(...page)
  }
}
