const { spawn, spawnSync } = require('node:child_process')
const { join, relative } = require('node:path')
const { parseArgs } = require('node:util')

const root = join(__dirname, '..', '..')
const jest = (options) => [require.resolve('jest/bin/jest'), '--rootDir', root, ...options]

/** Of this process: a wrong option or no suite to run, which says nothing of the code. */
const NOTHING_TRIED = 2

const options = {
  only: { type: 'string', short: 'o' },
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false, short: 'h' },
}

const help = ({ command, about }) => `${about}

    npm run ${command} [-- options [-- jest's options]]

  --only PATTERN   the suites whose path this regular expression is found in, such as onboarding or 'kill|freeze'
  --list           names the suites and runs none
  --help           this

Every suite is named when it begins and when it ends; a table at the end says how each went and how long it took. Behind a
second -- stands what jest is to be told: npm run ${command} -- --only onboarding -- --testNamePattern 'step 3'.
Ends with 0 where everything passed, with 1 where something failed, with ${NOTHING_TRIED} where nothing was run.`

/** What a command line asks for; throws for what it cannot ask. */
function readArguments(args) {
  const separator = args.indexOf('--')
  const own = separator === -1 ? args : args.slice(0, separator)
  const { values } = parseArgs({ args: own, options })
  return {
    ...values,
    only: values.only === undefined ? undefined : new RegExp(values.only),
    forJest: separator === -1 ? [] : args.slice(separator + 1),
  }
}

/** Paths of the suites that jest finds by `search`, in the order of their names. */
function listSuites({ search, env }) {
  const listed = spawnSync(process.execPath, jest(['--listTests', ...search]), { encoding: 'utf8', env, cwd: root })
  if (listed.status !== 0) throw new Error(listed.stderr)
  const paths = listed.stdout.split('\n').filter((line) => line !== '')
  return paths.map((path) => relative(root, path).replaceAll('\\', '/')).sort()
}

/**
 * The command line of a command that runs suites which `npm test` runs otherwise or not at all. `search` are jest's options that
 * find them, `env` is the environment of both the search and the run. `prepare` makes what they need, once it is certain that any
 * will run, and gives what is to be added to the environment and what clears it away.
 *
 * Sets the exit code; see `help` for what it means.
 */
async function runSuites({ command, about, search = [], env = {}, prepare = () => ({ env: {}, clear: () => {} }) }) {
  const asked = readArguments(process.argv.slice(2))
  if (asked.help) return console.log(help({ command, about }))

  const environment = { ...process.env, ...env }
  const suites = listSuites({ search, env: environment }).filter((path) => asked.only?.test(path) ?? true)
  if (suites.length === 0) throw new Error(`no suite of npm run ${command} is called so; --list names them`)
  if (asked.list) return console.log(suites.join('\n'))

  const prepared = prepare()
  try {
    const reporter = ['--reporters', join(__dirname, 'progress-reporter.js')]
    const run = jest([...reporter, ...asked.forJest, '--runTestsByPath', ...suites])
    process.exitCode = await ended(run, { ...environment, ...prepared.env, TENANTRY_TEST_COMMAND: command })
  } finally {
    prepared.clear()
  }
}

/** Its exit code, 1 where a signal ended it. It is told of the signals that this process gets, so that what it used can be cleared away. */
function ended(args, env) {
  const child = spawn(process.execPath, args, { stdio: 'inherit', env, cwd: root })
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 1))
  })
}

/** As `runSuites`, for a script's last line. */
function runSuitesFromCommandLine(command) {
  runSuites(command).catch((error) => {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = NOTHING_TRIED
  })
}

module.exports = { runSuitesFromCommandLine }
