import { buildSync } from 'esbuild'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { alertStorage } from '../../src/alerts/alerts'
import { systemClock } from '../../src/base/clock'
import { dataKeyStorage } from '../../src/encryption/tenant-keys'
import { outboxStorage } from '../../src/notifications/outbox-rows'
import { LEASE_MS } from '../../src/notifications/send-due'
import { placeStorage } from '../../src/storage/places'
import { freshStorage, testConnectionString } from '../harness/storage'
import { aReceiver, idsIn, until } from './notification-world'
import { outboxAt } from './outbox-at'

const NOTICES_SEEN = 15

describe('a process that is killed while it publishes and sends', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'outbox-'))
    buildSync({
      entryPoints: [join(__dirname, 'crashing-publisher.ts')],
      outfile: join(folder, 'publisher.js'),
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'cjs',
    })
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('loses no notice whose publication resolved: another sends what is left, each under its one id', async () => {
    const storage = freshStorage()
    for (const needs of [alertStorage, outboxStorage, dataKeyStorage, placeStorage]) await storage.ensure(needs)
    const receiver = await aReceiver()
    const keyFile = join(folder, 'key.json')
    const child = spawn(
      process.execPath,
      [join(folder, 'publisher.js'), testConnectionString(), storage.prefix, keyFile, receiver.url],
      { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_PATH: join(process.cwd(), 'node_modules') } },
    )
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
    await until('some are published', () => said.split('\n').length > NOTICES_SEEN)
    child.kill('SIGKILL')
    await once(child, 'close')
    // The last line may have been cut by the kill.
    const published = said.split('\n').slice(0, -1)

    // Behind every lease that the dead one has held.
    const later = { ...systemClock, now: () => systemClock.now() + LEASE_MS + 1_000 }
    const other = outboxAt({ storage, keyFile, clock: later })
    await other.send()
    const received = idsIn(receiver.received)
    expect(published.length).toBeGreaterThanOrEqual(NOTICES_SEEN)
    expect(published.filter((id) => !received.includes(id))).toEqual([])
    // What came twice came as the same message.
    const messages = new Set(receiver.received.map(({ headers }) => headers['webhook-id']))
    expect(messages.size).toBe(new Set(received).size)
    await other.close()
    await receiver.close()
  })
})
