import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { BlockBlobClient } from '@azure/storage-blob'
import { connectStorage, type StorageAccount } from '../../src/storage/connect'
import { selfSigned } from '../azure/self-signed'
import { freePort } from '../harness/free-port'

/**
 * An account that is reached by an identity, as in Azure: over TLS, by tokens, and without any key. Links to it are signed with a
 * delegation key that the service gives to the identity.
 */
const HOUR_MS = 3_600_000
const READY_MS_MAX = 120_000
const QUIETLY = ['--inMemoryPersistence', '--silent', '--skipApiVersionCheck', '--disableTelemetry']
let azurite: ChildProcess
let storage: StorageAccount
const object = { oid: randomUUID(), tid: randomUUID() }

beforeAll(async () => {
  const { key, cert } = selfSigned()
  const folder = mkdtempSync(join(tmpdir(), 'tenantry-test-'))
  writeFileSync(join(folder, 'key.pem'), key)
  writeFileSync(join(folder, 'cert.pem'), cert)
  setDefaultCACertificates([...getCACertificates('default'), cert])
  const port = await freePort()
  azurite = spawn(
    process.execPath,
    [require.resolve('azurite/dist/src/blob/main.js'), ...QUIETLY].concat(
      ['--oauth', 'basic', '--key', join(folder, 'key.pem'), '--cert', join(folder, 'cert.pem')],
      ['--blobHost', 'localhost', '--blobPort', String(port)],
    ),
    { stdio: 'ignore' },
  )
  await listening(port)
  const url = `https://localhost:${port}/devstoreaccount1`
  // Nothing but blobs is asked for here.
  const urls = { blobUrl: url, queueUrl: url, tableUrl: url }
  const credential = { getToken: async () => ({ token: tokenOf(), expiresOnTimestamp: Date.now() + HOUR_MS }) }
  storage = connectStorage({ kind: 'identity', ...urls, credential }, 'delegated')
  await storage.container('tenant-incoming').create()
})
afterAll(async () => {
  azurite.kill('SIGKILL')
  await once(azurite, 'exit')
})

/** Unsigned, as the emulator takes them; a real service would not. */
function tokenOf(): string {
  const nowSeconds = Math.floor(Date.now() / 1_000)
  const claims = {
    ...object,
    aud: 'https://storage.azure.com',
    iss: `https://sts.windows.net/${object.tid}/`,
    iat: nowSeconds - 60,
    nbf: nowSeconds - 60,
    exp: nowSeconds + 3_600,
  }
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}.${Buffer.from('signature').toString('base64url')}`
}

async function listening(port: number): Promise<void> {
  const deadline = Date.now() + READY_MS_MAX
  for (;;) {
    const socket = connect(port, 'localhost')
    const isOpen = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    socket.destroy()
    if (isOpen) return
    if (Date.now() > deadline) throw new Error(`no storage within ${READY_MS_MAX} ms`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const linkOf = async (blob: string, right: 'read' | 'write', ms = HOUR_MS) => {
  const nowMs = Date.now()
  return storage.signedBlob('tenant-incoming', blob, { right, nowMs, expiresAtMs: nowMs + ms })
}
const outcomeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: { statusCode?: number }) => error.statusCode,
  )

describe('a link to a blob of an account that is reached by identity', () => {
  it('is signed in the identity’s name, for TLS, for one blob and one right', async () => {
    const { searchParams } = new URL(await linkOf('ten_1/upl_1', 'write'))
    expect(Object.fromEntries(searchParams)).toMatchObject({
      skoid: object.oid,
      sktid: object.tid,
      sr: 'b',
      sp: 'cw',
      spr: 'https',
    })
    // A year of a key would be as good as the key.
    const lifeMs = Date.parse(searchParams.get('ske') ?? '') - Date.parse(searchParams.get('skt') ?? '')
    expect(lifeMs).toBeLessThan(2 * HOUR_MS)
  })

  it('writes by the one right and reads by the other, and nothing else', async () => {
    const writing = new BlockBlobClient(await linkOf('ten_1/upl_2', 'write'))
    const reading = new BlockBlobClient(await linkOf('ten_1/upl_2', 'read'))
    const id = Buffer.from('block').toString('base64')
    await writing.stageBlock(id, 'text', 4)
    await writing.commitBlockList([id])
    expect((await reading.downloadToBuffer()).toString()).toBe('text')
    expect(await outcomeOf(writing.download())).toBe(403)
    expect(await outcomeOf(writing.delete())).toBe(403)
    expect(await outcomeOf(reading.upload('x', 1))).toBe(403)
    const other = reading.url.replace('upl_2', 'upl_3')
    expect(await outcomeOf(new BlockBlobClient(other).download())).toBe(403)
    expect(await outcomeOf(new BlockBlobClient(writing.url.replace('upl_2', 'upl_3')).upload('x', 1))).toBe(403)
  })

  it('holds no longer than it was to', async () => {
    const over = new BlockBlobClient(await linkOf('ten_1/upl_4', 'write', -1_000))
    expect(await outcomeOf(over.upload('x', 1))).toBe(403)
  })
})
