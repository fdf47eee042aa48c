import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { environment } from '../../src/config'

const root = join(__dirname, '..', '..')

interface MakeSecrets {
  missingIn(
    env: Readonly<Record<string, string>>,
    from: { random: (bytes: number) => Buffer; now: Date },
  ): { set: Record<string, string>; token: string | undefined }
}
interface AssemblePackage {
  hostFor(durableStorage: string | undefined, host: object): Record<string, Record<string, unknown>>
  describePackage(description: object): { dependencies: Record<string, string>; scripts?: unknown }
  readonly BUNDLES: readonly string[]
  readonly UNBUNDLED: readonly string[]
}
const { missingIn } = require('../../infra/hooks/make-secrets.js') as MakeSecrets
const { hostFor, describePackage, BUNDLES, UNBUNDLED } =
  require('../../infra/hooks/assemble-package.js') as AssemblePackage
const json = (file: string) =>
  JSON.parse(readFileSync(join(root, file), 'utf8')) as { dependencies: Record<string, string> }

const from = { random: randomBytes, now: new Date('2026-11-21T12:00:00Z') }

test('a first installation gets secrets that the app takes, and the operator token of the hash that is kept', () => {
  const { set, token } = missingIn({}, from)
  const { TENANTRY_KEY_PEPPER, TENANTRY_OPERATOR_TOKEN_HASHES } = environment.shape
  expect(TENANTRY_KEY_PEPPER.safeParse(set['TENANTRY_KEY_PEPPER']).success).toBe(true)
  expect(TENANTRY_OPERATOR_TOKEN_HASHES.safeParse(set['TENANTRY_OPERATOR_TOKEN_HASHES']).success).toBe(true)
  expect(set['TENANTRY_OPERATOR_TOKEN_HASHES']).toBe(
    createHash('sha256')
      .update(token ?? '')
      .digest('hex'),
  )
  expect(set['TENANTRY_BUDGET_START']).toBe('2026-11-01')
  expect(missingIn({}, from).set['TENANTRY_KEY_PEPPER']).not.toBe(set['TENANTRY_KEY_PEPPER'])
})

test('what an installation has is left as it is', () => {
  const { set } = missingIn({}, from)
  expect(missingIn(set, from)).toEqual({ set: {}, token: undefined })
})

test('the host’s settings differ by where orchestrations are kept, and by nothing else', () => {
  const host = json('host.json')
  expect(hostFor('azure-storage', host)).toEqual(host)
  expect(hostFor(undefined, host)).toEqual(host)
  const changed = hostFor('durable-task-scheduler', host)
  expect(changed).toEqual({
    ...host,
    extensions: {
      ...changed['extensions'],
      durableTask: {
        hubName: 'tenantry',
        useGracefulShutdown: true,
        storageProvider: { type: 'azureManaged', connectionStringName: 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING' },
      },
    },
  })
  expect(readFileSync(join(root, 'infra', 'main.bicep'), 'utf8')).toContain("hubName: 'tenantry'")
})

test('the package has what the bundle does not have in it, no more, and builds nothing where it is deployed', () => {
  const bundles = BUNDLES.map((file) => readFileSync(join(root, 'dist', file), 'utf8')).join('\n')
  const asked = [...bundles.matchAll(/\b(?:require|import)\("((?:@[\w.-]+\/)?[a-z][\w.-]*)(?:\/[^"]*)?"\)/g)].map(
    ([, name = '']) => name,
  )
  const apart = [...bundles.matchAll(/\b(?:require|import)\("\.\/([\w-]+\.js)"\)/g)].map(([, file = '']) => file)
  expect(new Set(['main.js', ...apart])).toEqual(new Set(BUNDLES))
  const packages = new Set(asked.filter((name) => !builtinModules.includes(name)))
  // The Functions host has it.
  packages.delete('@azure/functions-core')
  expect(packages).toEqual(new Set(UNBUNDLED))
  const description = describePackage(json('package.json'))
  expect(Object.keys(description.dependencies)).toEqual(UNBUNDLED)
  expect(description.scripts).toBeUndefined()
})

test('azure.yaml runs hooks that are there, and deploys what they put together', () => {
  const text = readFileSync(join(root, 'azure.yaml'), 'utf8')
  const hooks = [...text.matchAll(/run: node (\S+)/g)].map(([, file = '']) => file.replace(/\s*}$/, ''))
  expect(hooks.length).toBe(4)
  expect(hooks.filter((file) => !existsSync(join(root, file)))).toEqual([])
  expect(text).toMatch(/project: \.\/dist\/package$/m)
})
