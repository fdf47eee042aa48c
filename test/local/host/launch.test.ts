import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { TableServiceClient } from '@azure/data-tables'
import { connectionStringOf, type Launched, launch, type LaunchStorage } from '../../../local/host/launcher/launch'
import { isListening } from '../../../local/host/wait-for-storage'
import { freePort } from '../../harness/free-port'
import { builtHost } from '../../conformance/built-host'
import { eventually } from '../../conformance/eventually'
import { testConnectionString } from '../../harness/storage'

const ROOT = path.resolve(__dirname, '../../..')
const running: Launched[] = []
let appFolder: string

beforeEach(() => {
  // Inside the project, so that the app finds its packages.
  appFolder = mkdtempSync(path.join(ROOT, 'dist/launched-app-'))
  writeFileSync(path.join(appFolder, 'package.json'), JSON.stringify({ main: 'app.js' }))
  writeApp('first')
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((launched) => launched.stop()))
  rmSync(appFolder, { recursive: true, force: true })
})

function writeApp(answer: string): void {
  const code = `
    const { app } = require('@azure/functions')
    app.setup({ enableHttpStream: true })
    app.http('who', { handler: () => ({ body: '${answer}' }) })
    app.http('crash', { handler: () => { setImmediate(() => { throw new Error('on purpose') }); return { body: 'bye' } } })
    app.timer('never', { schedule: '0 0 0 29 2 1', handler: () => {} })`
  writeFileSync(path.join(appFolder, 'app.js'), code)
}

async function start(options: Partial<Parameters<typeof launch>[0]> = {}) {
  const port = await freePort()
  const lines: string[] = []
  const launched = await launch({
    appFolder,
    port,
    storage: { kind: 'connection-string', connectionString: testConnectionString() },
    hostFile: builtHost(),
    onLine: (line) => void lines.push(line),
    env: { AzureFunctionsWebHost__hostid: `launch${port}` },
    ...options,
  })
  running.push(launched)
  const ask = async (name: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/${name}`).catch(() => undefined)
    return answer?.text()
  }
  return { launched, lines, ask }
}

describe('the launcher', () => {
  it('starts Azurite for a host whose ports are closed, keeps its data, and leaves nothing running', async () => {
    const storage: LaunchStorage = {
      kind: 'azurite',
      blobPort: await freePort(),
      queuePort: await freePort(),
      tablePort: await freePort(),
      stateFolder: path.join(appFolder, 'state'),
    }
    // A connection that is kept alive would keep Azurite from ending until its grace is over.
    const options = { allowInsecureConnection: true, keepAliveOptions: { enable: false } }
    const first = await start({ storage })
    await first.launched.ready
    await TableServiceClient.fromConnectionString(connectionStringOf(storage), options).createTable('kept')
    await first.launched.stop()
    expect(await isListening(storage.tablePort)).toBe(false)

    const second = await start({ storage })
    await second.launched.ready
    const names: (string | undefined)[] = []
    const tables = TableServiceClient.fromConnectionString(connectionStringOf(storage), options).listTables()
    for await (const { name } of tables) names.push(name)
    expect(names).toContain('kept')
  })

  it('starts a host again that was killed or crashed', async () => {
    const { launched, ask } = await start()
    await launched.ready
    const firstPid = launched.hostPid() ?? 0
    process.kill(firstPid, 'SIGKILL')
    await eventually('the host is back after a kill', async () =>
      launched.hostPid() !== firstPid ? await ask('who') : undefined,
    )

    const secondPid = launched.hostPid()
    await ask('crash')
    await eventually('the host is back after a crash', async () =>
      launched.hostPid() !== secondPid ? await ask('who') : undefined,
    )
  })

  it('gives up on an app that cannot start, and says so', async () => {
    writeFileSync(path.join(appFolder, 'app.js'), 'throw new Error("broken on purpose")')
    const { launched, lines } = await start()

    await expect(launched.ready).rejects.toThrow('3 times')
    expect(lines.join('\n')).toContain('broken on purpose')
    expect(launched.hostPid()).toBeUndefined()
  })

  it('serves the new app after its file has changed', async () => {
    const file = path.join(appFolder, 'app.js')
    const { launched, ask } = await start({ watch: file })
    await launched.ready
    expect(await ask('who')).toBe('first')

    writeApp('second')
    utimesSync(file, new Date(), new Date())
    await eventually('the second app answers', async () => ((await ask('who')) === 'second' ? true : undefined))
    expect(readFileSync(file, 'utf8')).toContain('second')
  })

  it('runs several HTTP-only hosts side by side on one storage', async () => {
    const hosts = await Promise.all([1, 2, 3].map(() => start({ hostOptions: ['--no-triggers'] })))
    await Promise.all(hosts.map(({ launched }) => launched.ready))

    expect(await Promise.all(hosts.map(({ ask }) => ask('who')))).toEqual(['first', 'first', 'first'])
  })
})
