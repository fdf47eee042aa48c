import { BlobServiceClient } from '@azure/storage-blob'
import { testConnectionString } from '../harness/storage'
import { eventually } from './eventually'
import { type RunningHost, startHost } from './start-host'

/** Needs auth: `func start --enableAuth`. */
let host: RunningHost
let keys: { masterKey: { value: string }; functionKeys: { value: string }[]; systemKeys: { value: string }[] }

beforeAll(async () => {
  host = await startHost({ enforceKeys: true })
  keys = JSON.parse(await secret('host.json')) as typeof keys
})
afterAll(() => host.stop())

const status = async (path: string, key?: string) => {
  const headers = key === undefined ? {} : { 'x-functions-key': key }
  return (await fetch(`${host.baseUrl}${path}`, { headers })).status
}

function secret(name: string): Promise<string> {
  const container =
    BlobServiceClient.fromConnectionString(testConnectionString()).getContainerClient('azure-webjobs-secrets')
  return eventually(`the blob ${name} of the host's keys`, async () => {
    const blob = container.getBlobClient(`${host.hostId}/${name}`)
    return (await blob.exists()) ? (await blob.downloadToBuffer()).toString() : undefined
  })
}

describe('keys', () => {
  it('are not asked for by anonymous functions', async () => {
    expect(await status('/api/plain')).toBe(200)
  })

  it('are asked for by functions of level function and admin, and a made-up one does not open', async () => {
    expect(await status('/api/locked')).toBe(401)
    expect(await status('/api/bolted')).toBe(401)
    expect(await status('/api/locked', 'made-up')).toBe(401)
  })

  it('of the host and the master key open functions of level function', async () => {
    expect(await status('/api/locked', keys.functionKeys[0]?.value)).toBe(200)
    expect(await status('/api/locked', keys.masterKey.value)).toBe(200)
    expect(await status(`/api/locked?code=${encodeURIComponent(keys.masterKey.value)}`)).toBe(200)
  })

  it('of the host do not open what only the master key may', async () => {
    expect(await status('/api/bolted', keys.functionKeys[0]?.value)).toBe(401)
    expect(await status('/api/bolted', keys.masterKey.value)).toBe(200)
    expect(await status('/admin/functions', keys.functionKeys[0]?.value)).toBe(401)
    expect(await status('/admin/functions', keys.masterKey.value)).toBe(200)
  })
})
