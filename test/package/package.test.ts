import { execFile, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { LoadedApp } from '../../bench/load-app'
import { appSettings } from '../harness/app-settings'
import { chatBody, chatPath, eventsOf, post } from '../harness/call'
import { startTestStack, type TestStack } from '../harness/stack'
import { testConnectionString } from '../harness/storage'
import { assembled, filesIn, removeAssembled, unpacked } from './assembled'

const root = join(__dirname, '..', '..')
const BILL = 'sbom.cdx.json'
const { packagesOf } = require('../../infra/hooks/bundled-packages.js') as {
  packagesOf(files: readonly string[], from: { root: string; lockfile: unknown }): { name: string }[]
}
const { BUNDLES } = require('../../infra/hooks/assemble-package.js') as { readonly BUNDLES: readonly string[] }
interface Component {
  readonly name: string
  readonly version: string
  readonly purl: string
  readonly hashes: readonly { alg: string; content: string }[]
  readonly licenses: readonly { license: { id: string } }[]
}

const OUT = 'package-of-test'
let files: Record<string, Uint8Array>
let folder: string
beforeAll(async () => {
  const zip = await assembled(OUT)
  files = filesIn(zip)
  folder = unpacked(zip)
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
  removeAssembled(OUT)
})

const text = (path: string) => Buffer.from(files[path] ?? []).toString('utf8')
const json = <T>(path: string) => JSON.parse(text(path)) as T

describe('the package', () => {
  test('has the bundles with their maps, the host’s settings, what is in no bundle, and the papers: nothing else', () => {
    const paths = Object.keys(files).filter((path) => !path.startsWith('node_modules/gpt-tokenizer/'))
    const papers = ['host.json', 'licences.txt', 'package.json', BILL]
    expect(paths.sort()).toEqual([...BUNDLES.flatMap((file) => [file, `${file}.map`]), ...papers].sort())
    expect(json('package.json')).toEqual({
      name: 'tenantry',
      version: expect.any(String),
      private: true,
      main: 'main.js',
      dependencies: { 'gpt-tokenizer': expect.stringMatching(/^\d+\.\d+\.\d+$/) },
    })
  })

  test('has no source of tests, of the local host or of the simulator in it', () => {
    const { sources } = json<{ sources: string[] }>('main.js.map')
    const ours = sources.filter((path) => !path.includes('/node_modules/') && path.startsWith('../../'))
    expect(ours.length).toBeGreaterThan(100)
    expect(ours.filter((path) => !/^\.\.\/\.\.\/(?:src\/|package\.json$)/.test(path))).toEqual([])
  })

  test('says of every package in it the version, the digest and a licence that asks no more than to be named', () => {
    const { components } = json<{ components: Component[] }>(BILL)
    expect(new Set(components.map(({ purl }) => purl)).size).toBe(components.length)
    const names = components.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['@azure/functions', 'axios', 'gpt-tokenizer', 'undici', 'zod']))
    for (const { hashes, licenses } of components) {
      expect(hashes).toEqual([{ alg: 'SHA-512', content: expect.stringMatching(/^[0-9a-f]{128}$/) }])
      expect(['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD']).toContain(licenses[0]?.license.id)
    }
    const page = text('licences.txt')
    expect(components.filter(({ name, version }) => !page.includes(`${name} ${version} (`))).toEqual([])
    expect(page.match(/permission is hereby granted/gi)?.length).toBeGreaterThan(80)
  })

  test('cannot be made with what is for development only, or is not the lockfile’s', () => {
    const lockfile = require('../../package-lock.json') as { packages: Record<string, { version: string }> }
    const of = (...paths: string[]) => packagesOf(paths, { root, lockfile })
    expect(of('src/main.ts', 'node_modules/zod/index.js', 'node_modules/zod/v4/index.js')).toHaveLength(1)
    expect(() => of('node_modules/jest/build/index.js')).toThrow('node_modules/jest is a development dependency')
    expect(() => of('node_modules/zod/node_modules/other/index.js')).toThrow('is not in package-lock.json')
    const { zod } = { zod: lockfile.packages['node_modules/zod'] }
    const moved = { packages: { 'node_modules/zod': { ...zod, version: '0.0.0' } } }
    expect(() => packagesOf(['node_modules/zod/index.js'], { root, lockfile: moved })).toThrow('package-lock.json says')
  })
})

describe('the app of the package alone, far from the repository', () => {
  let stack: TestStack
  beforeAll(async () => {
    stack = await startTestStack({ TENANTRY_OFFBOARDING_GRACE_SECONDS: '0' }, folder)
  })
  afterAll(() => stack.stop())

  test('onboards a tenant, serves it, reports its use, and lets it go', async () => {
    const tenant = await stack.makeTenant()
    const us = { baseUrl: stack.baseUrl, apiKey: tenant.apiKey }
    expect((await post(us, chatPath, chatBody())).json).toMatchObject({ object: 'chat.completion' })
    const streamed = await post(us, chatPath, chatBody(undefined, { stream: true }))
    expect(eventsOf(streamed.text).at(-1)).toBe('[DONE]')
    const embedded = await post(us, '/openai/v1/embeddings', { model: 'embed', input: 'Hello' })
    expect(embedded.json).toMatchObject({ object: 'list', data: [{ object: 'embedding' }] })
    const limits = await fetch(`${stack.baseUrl}/api/tenant/limits`, { headers: { 'api-key': tenant.apiKey } })
    expect(limits.status).toBe(200)

    const { offboardingId } = await stack.platform.remove<{ offboardingId: string }>(`/tenants/${tenant.tenantId}`)
    expect(await stack.platform.ended(offboardingId)).toMatchObject({ state: 'completed' })
    expect((await post(us, chatPath, chatBody())).status).toBeGreaterThanOrEqual(401)
  })

  test('loads at its start no bundle but one, and nothing of fetch', async () => {
    const child = fork(join(root, 'dist', 'bench', 'load-app.js'), [folder], {
      execArgv: [],
      env: {
        AzureWebJobsStorage: testConnectionString(),
        TENANTRY_KEY_PEPPER: randomBytes(32).toString('base64url'),
        TENANTRY_OPERATOR_TOKEN_HASHES: '0'.repeat(64),
      },
    })
    const [{ files: loaded, functions, loadedFetch }] = (await once(child, 'message')) as [LoadedApp]
    expect(functions).toBeGreaterThan(200)
    expect(loaded).toEqual([join(realpathSync(folder), 'main.js')])
    expect(loadedFetch).toBe(false)
  })

  test('gets no module from anywhere else, though the repository’s are offered', async () => {
    const script = join(folder, 'takes-zod.js')
    writeFileSync(script, "require('zod')")
    const NODE_PATH = join(root, 'node_modules')
    const run = (env: Readonly<Record<string, string>>) =>
      promisify(execFile)(process.execPath, [script], { env: { ...env, NODE_PATH } })
    await expect(run({})).resolves.toBeDefined()
    await expect(run(appSettings(folder))).rejects.toMatchObject({
      stderr: expect.stringMatching(/zod of file:.* is not in the package/),
    })
    expect(existsSync(join(folder, 'node_modules', 'zod'))).toBe(false)
  })
})
