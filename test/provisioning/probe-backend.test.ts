import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createBackendCredentials } from '../../src/azure/backend-credentials'
import { createUpstreamHttp } from '../../src/azure/upstream-http'
import { systemClock } from '../../src/base/clock'
import { probeBackend } from '../../src/provisioning/probe-backend'
import type { Backend } from '../../src/routing/backend'
import type { Capability } from '../../src/tenants/snapshot'

const refusal = (code: string) => ({ error: { code, message: 'no' } })

/** What a deployment that answers so with that body is taken for, and which paths it was asked at. */
async function probed(capability: Capability, status: number, body: object) {
  const paths: string[] = []
  const server = createServer((request, response) => {
    paths.push((request.url ?? '').replace(/\?.*$/, ''))
    request.resume().on('end', () => response.writeHead(status).end(JSON.stringify(body)))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const backend: Backend = {
    id: 'bke_probe',
    name: 'probe',
    api: { kind: 'azure-openai', apiVersion: '2024-10-21' },
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    deployment: 'theirs',
    region: 'swedencentral',
    capacity: 'payg',
    credential: { kind: 'none' },
    enabled: true,
  }
  const upstream = createUpstreamHttp()
  const credentials = createBackendCredentials({
    settings: {},
    identity: { getToken: () => Promise.reject(new Error('there is no Entra here')) },
    secrets: { get: async () => undefined },
    clock: systemClock,
  })
  const alias = { capabilities: [capability], outputTokensMax: 100, outputTokensField: 'max_tokens' } as const
  try {
    return { probe: await probeBackend({ upstream, credentials }, backend, alias), paths }
  } finally {
    await upstream.close()
    server.close()
    server.closeAllConnections()
  }
}

describe('a probe', () => {
  it.each([
    ['chat', '/openai/deployments/theirs/chat/completions'],
    ['embeddings', '/openai/deployments/theirs/embeddings'],
    ['completions', '/openai/deployments/theirs/completions'],
  ] as const)('of %s makes the smallest call of its kind', async (capability, path) => {
    const { probe, paths } = await probed(capability, 200, { model: 'gpt-4.1-mini-2025-04-14' })
    expect(probe).toEqual({ kind: 'answers', model: 'gpt-4.1-mini-2025-04-14' })
    expect(paths).toEqual([path])
  })

  it.each(['images', 'transcription', 'speech', 'batch'] as const)(
    'of %s finds the deployment by its refusing another’s call',
    async (capability) => {
      const { probe } = await probed(capability, 400, refusal('OperationNotSupported'))
      expect(probe).toEqual({ kind: 'answers', model: undefined })
    },
  )

  it.each([
    ['chat', 400, 'OperationNotSupported', 'refused'],
    ['images', 404, 'DeploymentNotFound', 'missing'],
    ['images', 401, 'PermissionDenied', 'denied'],
    ['images', 503, 'ServiceUnavailable', 'unsure'],
  ] as const)('of %s that is answered %d %s says %s', async (capability, status, code, kind) => {
    expect((await probed(capability, status, refusal(code))).probe).toMatchObject({ kind })
  })
})
