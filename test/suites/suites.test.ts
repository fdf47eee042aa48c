import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(__dirname, '..', '..')
const script = (name: string) => join(root, 'scripts', `${name}.js`)

interface Ended {
  readonly code: number
  readonly printed: string
}

const run = (args: readonly string[], env: NodeJS.ProcessEnv = process.env) =>
  new Promise<Ended>((resolve) => {
    execFile(process.execPath, args, { env, cwd: root }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, printed: stdout + stderr }),
    )
  })

const listed = async (command: string) => (await run([script(command), '--list'])).printed.trim().split('\n')

test('the package is tried by every suite that starts the app on a host, whatever folder it is in, and by no other', async () => {
  const suites = await listed('test-package')
  // By a module between them, directly, and in folders that have nothing to do with the package.
  for (const one of ['contract/audio', 'onboarding/onboarding', 'shutdown/shutdown', 'telemetry/whole-run'])
    expect(suites).toContain(`test/${one}.test.ts`)
  expect(suites).not.toContain('test/batches/lanes.test.ts')
  expect(suites).not.toContain('test/onboarding/kill.test.ts')
})

test('the long tests are those that npm test leaves out, and --only chooses among them', async () => {
  const all = await listed('test-long')
  expect(all).toContain('test/onboarding/kill.test.ts')
  expect(all).not.toContain('test/onboarding/onboarding.test.ts')
  const { printed } = await run([script('test-long'), '--list', '--only', 'kill'])
  expect(printed.trim().split('\n')).toEqual(all.filter((path) => path.includes('kill')))
})

test.each([
  [['--only', 'no-such-suite'], /no suite .* --list/],
  [['--only', '('], /Invalid regular expression/],
  [['--onyl', 'kill'], /Unknown option '--onyl'/],
  [['kill'], /does not take positional arguments/],
])('where nothing is run nothing has passed: %j ends with 2 and says why', async (args, why) => {
  expect(await run([script('test-long'), ...args])).toEqual({ code: 2, printed: expect.stringMatching(why) })
})

describe('what a long run prints', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tenantry-suites-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const suites = {
    fine: `test('one', () => {}); test.skip('two', () => {})`,
    wrong: `console.log('before it failed'); test('one', () => { throw new Error('not as it should be') })`,
    broken: `throw new Error('cannot be loaded')`,
    all: `beforeAll(() => { throw new Error('for every test alike') }); test.each([...Array(30).keys()])('%i', () => {})`,
  }
  let ended: Ended
  beforeAll(async () => {
    for (const [name, code] of Object.entries(suites)) writeFileSync(join(folder, `${name}.test.js`), code)
    const config = JSON.stringify({ rootDir: folder, transform: {} })
    const reporter = join(root, 'scripts', 'suites', 'progress-reporter.js')
    const jest = [require.resolve('jest/bin/jest'), '--config', config, '--reporters', reporter]
    ended = await run(jest, { ...process.env, TENANTRY_TEST_COMMAND: 'test:long' })
  })

  it('has failed for whoever reads it where a test failed and where a suite could not be loaded', () => {
    const line = (suite: string) => ended.printed.split('\n').find((one) => one.includes(`${suite}.test.js:`))
    expect(line('fine')).toMatch(/ passed {3}fine\.test\.js: 1 passed, 1 skipped, \d+ s \([1-4] of 4\)$/)
    expect(line('wrong')).toMatch(/ FAILED {3}wrong\.test\.js: 0 passed, 1 failed, /)
    expect(line('broken')).toMatch(/ FAILED {3}broken\.test\.js: 0 passed, /)
    expect(ended.printed).toMatch(/\n4 suites, 3 failed; tests: 1 passed, 31 failed, 1 skipped, \d+ s\n/)
    expect(ended.code).toBe(1)
  })

  it('shows twenty failures of one suite and counts the rest', () => {
    expect(ended.printed.match(/^ +for every test alike$/gm)).toHaveLength(20)
    expect(ended.printed).toContain('… and 10 more')
  })

  it('says why, with what was written before, and how to run again what failed and nothing else', () => {
    for (const why of ['not as it should be', 'cannot be loaded', 'before it failed'])
      expect(ended.printed).toContain(why)
    const again = ended.printed.split('\n').filter((line) => line.includes('npm run test:long'))
    expect(again.sort()).toEqual(
      ['all', 'broken', 'wrong'].map((suite) => `  npm run test:long -- --only ${suite}.test.js`),
    )
  })
})
