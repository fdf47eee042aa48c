import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { faultsOf, readWorkflow, stepsOf, type Repository, type Workflow } from './workflow-rules'

const root = join(__dirname, '..', '..')
const folder = join(root, '.github', 'workflows')
const files = readdirSync(folder)
const textOf = (file: string) => readFileSync(join(folder, file), 'utf8')
const { VARIABLES } = require('../../scripts/check-infra/attack.js') as { readonly VARIABLES: readonly string[] }
const { scripts } = require('../../package.json') as { readonly scripts: Readonly<Record<string, string>> }

const repository: Repository = {
  scripts: Object.keys(scripts),
  environments: readdirSync(join(root, 'infra', 'presets')).map((file) => basename(file, '.json')),
  hasFile: (path) => existsSync(join(root, path)),
}

function workflow(file: string): Workflow {
  const read = readWorkflow(textOf(file))
  if ('faults' in read) throw new Error(read.faults.join('\n'))
  return read
}

test.each(files)('%s asks for no right that it does not need, and names nothing that is not there', (file) => {
  expect(faultsOf(file, textOf(file), repository)).toEqual([])
})

test.each([
  ['a key that is given twice', 'check.yml', 'name: check', 'name: check\nname: again', /unique/],
  ['more than reading', 'check.yml', 'contents: read', 'contents: write', /permissions are not/],
  [
    'a token of Azure where nothing signs in',
    'attack.yml',
    'contents: read',
    'contents: read\n  id-token: write',
    /not/,
  ],
  ['a job with rights of its own', 'check.yml', '  check:\n', '  check:\n    permissions: write-all\n', /of its own/],
  ['runs at once', 'deploy.yml', /concurrency:[\s\S]*?(?=jobs:)/, '', /at once/],
  ['no timeout', 'deploy.yml', /\n.*timeout-minutes: .*/, '', /no timeout/],
  ['secrets of no environment', 'attack.yml', /\n {4}environment: .*/, '', /of no environment/],
  ['an environment without a preset', 'deploy.yml', '[dev, production]', '[dev, staging]', /offers dev,staging/],
  ['an action at a branch', 'check.yml', 'checkout@v4', 'checkout@main', /may become anything/],
  ['a checkout that keeps its token', 'check.yml', 'persist-credentials: false', 'fetch-depth: 1', /leaves its token/],
  ['an expression in a script', 'check.yml', 'bash .ci/run', 'bash .ci/run ${{ github.ref }}', /an expression in/],
  ['a script that is not there', 'check.yml', 'test:package', 'test:all', /no npm run test:all/],
  ['a file that is not there', 'check.yml', 'bash .ci/run', 'bash .ci/go', /there is no .ci\/go/],
])('%s is found', (_what, file, from, to, fault) => {
  const text = textOf(file)
  const broken = text.replace(from, to)
  expect(broken).not.toBe(text)
  expect(faultsOf(file, broken, repository).join('\n')).toMatch(fault)
})

test('every push is checked and tested, and what it would deploy is', () => {
  const { on, jobs } = workflow('check.yml')
  expect(Object.keys(on)).toEqual(['push', 'pull_request'])
  expect(jobs['check']?.steps.map(({ run }) => run)).toContain('bash .ci/run')
  const ci = readFileSync(join(root, '.ci', 'run'), 'utf8')
  for (const script of ['npm run types', 'npm run lint', 'npm test']) expect(ci).toContain(script)
  expect(jobs['package']?.steps.map(({ run }) => run)).toContain('npm run test:package')
})

test('a deployment sets all that the templates take from its environment, and signs in without a password', () => {
  const { jobs } = workflow('deploy.yml')
  const set = [jobs['deploy']?.env, ...(jobs['deploy']?.steps.map(({ env }) => env) ?? [])]
  const names = new Set(set.flatMap((env) => Object.keys(env ?? {})))
  const parameters = readFileSync(join(root, 'infra', 'main.parameters.json'), 'utf8')
  const taken = [...parameters.matchAll(/\$\{(\w+)/g)].map(([, name = '']) => name)
  expect(taken.length).toBeGreaterThan(10)
  expect(taken.filter((name) => !names.has(name))).toEqual([])
  const signIn = jobs['deploy']?.steps.find(({ run }) => run?.startsWith('azd auth login'))
  expect(signIn?.run).toContain('--federated-credential-provider github')
  expect(signIn?.run).not.toMatch(/secret|password|certificate/)
})

test('the attack is given what it reads, and its keys as secrets', () => {
  const attack = stepsOf(workflow('attack.yml')).find(({ run }) => run === 'npm run --silent attack')
  expect(Object.keys(attack?.env ?? {}).sort()).toEqual([...VARIABLES].sort())
  for (const [name, value] of Object.entries(attack?.env ?? {}))
    expect(value).toBe(`\${{ ${name.includes('KEY') ? 'secrets' : 'vars'}.${name} }}`)
  expect(scripts['attack']).toBe('node scripts/check-infra/attack.js')
})
