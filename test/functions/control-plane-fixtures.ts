import type { ControlPlaneServer, Reply } from './control-plane-server'

export const backendBody = {
  name: 'sweden 1',
  api: { kind: 'azure-openai', apiVersion: '2024-10-21' },
  endpoint: 'https://sweden.openai.azure.com',
  deployment: 'gpt-4-1-mini',
  credential: { kind: 'api-key', setting: 'AZURE_OPENAI_API_KEY' },
  region: 'swedencentral',
}

export const tenantBody = {
  displayName: 'Contoso',
  contact: { email: 'ops@contoso.example' },
  region: 'swedencentral',
}

const resourceGroupId = '/subscriptions/aaaaaaaa-0000-4000-8000-00000000000a/resourceGroups/tenantry-sweden'

export const stampBody = {
  name: 'sweden 1',
  region: 'swedencentral',
  resourceGroupId,
  modelAccountIds: [`${resourceGroupId}/providers/Microsoft.CognitiveServices/accounts/models-1`],
}

/** An alias `chat` on a backend of the given id. */
export const chatAlias = (backendId: string) => ({
  name: 'chat',
  model: 'gpt-4.1-mini',
  groups: [{ members: [{ backendId }] }],
})

export async function createBackend(server: ControlPlaneServer, change: object = {}): Promise<string> {
  const reply = await server.operate('POST', '/api/platform/backends', { ...backendBody, ...change })
  return expectStatus(reply, 201).body.id
}

export async function createStamp(server: ControlPlaneServer, change: object = {}): Promise<string> {
  const reply = await server.operate('POST', '/api/platform/stamps', { ...stampBody, ...change })
  return expectStatus(reply, 201).body.id
}

/** A tenant that has been activated, with its first key. */
export async function createTenant(
  server: ControlPlaneServer,
  change: object = {},
): Promise<{ tenantId: string; keyId: string; apiKey: string; etag: string }> {
  const reply = await server.operate('POST', '/api/platform/tenants', { ...tenantBody, ...change })
  const { tenantId, onboardingId } = expectStatus(reply, 202).body
  const first = server.firstKeys.get(onboardingId)
  if (!first) throw new Error(`the onboarding ${onboardingId} was not started`)
  const read = expectStatus(await server.operate('GET', `/api/platform/tenants/${tenantId}`), 200)
  return { tenantId, keyId: first.record.keyId, apiKey: first.apiKey, etag: read.headers.get('etag') ?? '' }
}

export async function createKey(
  server: ControlPlaneServer,
  apiKey: string,
  change: object = {},
): Promise<{ keyId: string; apiKey: string }> {
  const reply = await server.send('POST', '/api/tenant/keys', { apiKey, body: { name: 'a key', ...change } })
  return expectStatus(reply, 201).body
}

/** Fails with the whole answer, so that a broken set-up shows why. */
export function expectStatus(reply: Reply, status: number): Reply {
  if (reply.status !== status) throw new Error(`expected ${status}, got ${reply.status}: ${reply.text}`)
  return reply
}
