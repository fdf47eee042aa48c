import { buildSync } from 'esbuild'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { usageLogContainer } from '../../src/metering/log-blob-name'
import { freshStorage, testConnectionString } from '../harness/storage'
import { linesOf } from './read-all'

const WRITERS = 3
/** Each has written so much, and then goes on for so long, before it is killed. */
const SAID_MIN = 20
const LIVES_MS_MIN = 400

describe('a process that is killed while it writes the usage log', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'usage-log-'))
    buildSync({
      entryPoints: [join(__dirname, 'crashing-writer.ts')],
      outfile: join(folder, 'writer.js'),
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'cjs',
    })
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('leaves every record whose durable() resolved in the log, and none twice', async () => {
    const storage = freshStorage()
    await storage.ensure({ containers: [usageLogContainer] })

    const writer = async (livesMs: number) => {
      const child = spawn(process.execPath, [join(folder, 'writer.js'), testConnectionString(), storage.prefix], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, NODE_PATH: join(process.cwd(), 'node_modules') },
      })
      let said = ''
      child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
      while (said.split('\n').length <= SAID_MIN) await once(child.stdout, 'data')
      await sleep(livesMs)
      child.kill('SIGKILL')
      await once(child, 'close')
      // The last line may have been cut by the kill.
      return said.split('\n').slice(0, -1)
    }
    const said = (await Promise.all(Array.from({ length: WRITERS }, (_, i) => writer(LIVES_MS_MIN + i * 150)))).flat()
    const lines = (await linesOf(storage.container(usageLogContainer))).map(
      ({ line }) => `${line.intent.callId} ${line.kind}`,
    )

    const written = new Set(lines)
    expect(said.length).toBeGreaterThanOrEqual(WRITERS * SAID_MIN)
    // A call that was settled while its intent was still queued has one line, which says both.
    expect(said.filter((record) => !written.has(record) && !written.has(record.replace('intent', 'settled')))).toEqual(
      [],
    )
    expect(lines).toHaveLength(written.size)
  })
})
