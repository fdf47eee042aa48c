/**
 * Puts together what is deployed, in dist/package: the bundles with their source maps, host.json, and of this project's
 * dependencies those that are in no bundle. Nothing else of the repository, and no development dependency.
 */
const { execFileSync } = require('node:child_process')
const { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')
const { apart } = require('../../scripts/lean-start')

const root = join(__dirname, '..', '..')
const out = join(root, 'dist', 'package')
/** Of the app (scripts/build.js); the first is its entry. */
const BUNDLES = ['main.js', ...Object.keys(apart).map((name) => `${name}.js`)]
/** Not bundled (scripts/build.js): its tables are loaded when a model first needs them. */
const UNBUNDLED = ['gpt-tokenizer']

/** The host's settings for where orchestrations are kept (infra/main.bicep, `durableStorage`). */
function hostFor(durableStorage, host) {
  if (durableStorage !== 'durable-task-scheduler') return host
  const durableTask = {
    ...host.extensions.durableTask,
    storageProvider: { type: 'azureManaged', connectionStringName: 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING' },
  }
  return { ...host, extensions: { ...host.extensions, durableTask } }
}

/** The package's own description: no scripts, so that no build step runs anywhere. */
function describePackage({ name, version, dependencies }) {
  const kept = Object.fromEntries(UNBUNDLED.map((one) => [one, dependencies[one]]))
  return { name, version, private: true, main: 'main.js', dependencies: kept }
}

function run() {
  execFileSync(process.execPath, [join(root, 'scripts', 'build.js')], { cwd: root, stdio: 'inherit' })
  rmSync(out, { recursive: true, force: true })
  mkdirSync(join(out, 'node_modules'), { recursive: true })
  for (const file of BUNDLES.flatMap((bundle) => [bundle, `${bundle}.map`]))
    copyFileSync(join(root, 'dist', file), join(out, file))
  for (const name of UNBUNDLED)
    cpSync(join(root, 'node_modules', name), join(out, 'node_modules', name), { recursive: true })
  const json = (file) => JSON.parse(readFileSync(join(root, file), 'utf8'))
  const write = (file, value) => writeFileSync(join(out, file), `${JSON.stringify(value, null, 2)}\n`)
  write('host.json', hostFor(process.env.TENANTRY_DURABLE_STORAGE, json('host.json')))
  write('package.json', describePackage(json('package.json')))
}

module.exports = { hostFor, describePackage, BUNDLES, UNBUNDLED }
if (require.main === module) run()
