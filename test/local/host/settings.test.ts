import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { readSettings, resolveNames, timeSpanMs } from '../../../local/host/settings'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'settings-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const write = (name: string, content: unknown) =>
  writeFileSync(path.join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))
const read = (env: NodeJS.ProcessEnv = {}, ...options: string[]) => readSettings(['--app', folder, ...options], env)

describe('settings', () => {
  it('of an app that has none are those of the Functions host', () => {
    expect(read()).toMatchObject({
      port: 7071,
      triggers: true,
      enforceKeys: false,
      routePrefix: 'api',
      hubName: 'TestHubName',
      queues: { batchSize: 16, newBatchThreshold: 8, maxDequeueCount: 5, messageEncoding: 'base64' },
      cors: { origins: [] },
    })
  })

  it('of host.json may name app settings, which local.settings.json gives unless the environment does', () => {
    write('host.json', { extensions: { durableTask: { hubName: '%HUB%' }, queues: { batchSize: 99, maxPollingInterval: '00:00:00.25' } } }) // prettier-ignore
    write('local.settings.json', { Values: { HUB: 'FromFile', OTHER: 'x' } })
    const env: NodeJS.ProcessEnv = { HUB: 'FromEnvironment' }

    expect(read(env)).toMatchObject({
      hubName: 'FromEnvironment',
      queues: { batchSize: 32, maxPollingIntervalMs: 250 },
    })
    expect(env['OTHER']).toBe('x')
  })

  it.each([
    ['an unset name', { extensions: { durableTask: { hubName: '%NOPE%' } } }, 'NOPE'],
    ['a hub name that no table could have', { extensions: { durableTask: { hubName: 'my-hub' } } }, 'my-hub'],
    ['a time span that is none', { extensions: { queues: { maxPollingInterval: '2s' } } }, '2s'],
    ['broken JSON', '{"version":', 'host.json is not valid JSON'],
  ])('with %s in host.json are refused, naming it', (_what, content, message) => {
    write('host.json', content)
    expect(() => read()).toThrow(message)
  })

  it('refuse a port that is none', () => {
    expect(() => read({}, '--port', '70000')).toThrow('70000')
  })

  it('keep the keys of two apps apart that share a storage account', () => {
    const other = mkdtempSync(path.join(tmpdir(), 'settings-'))
    expect(readSettings(['--app', other], {}).hostId).not.toBe(read().hostId)
    rmSync(other, { recursive: true })
  })
})

describe('a time span', () => {
  it.each([
    ['00:00:02', 2_000],
    ['01:02:03.5', 3_723_500],
    ['2.00:00:00', 172_800_000],
  ])('%s is %i ms', (text, ms) => {
    expect(timeSpanMs(text, 0)).toBe(ms)
  })
})

describe('names in bindings', () => {
  it('are resolved at any depth, and only in texts', () => {
    const value = { a: '%X%-%Y%', b: [{ c: '%X%' }], d: 5, e: null, f: '100%' }
    expect(resolveNames(value, { X: '1', Y: '2' })).toEqual({ a: '1-2', b: [{ c: '1' }], d: 5, e: null, f: '100%' })
  })
})
