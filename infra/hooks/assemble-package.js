/**
 * Puts together what is deployed, in dist/package and, as one file, in dist/package.zip: the bundles with their source maps,
 * host.json, of this project's dependencies what is in no bundle, and what there is of other people's with their licences. Nothing
 * else of the repository. The same sources make the same bytes, on any day and in any folder (test/package).
 *
 *     node infra/hooks/assemble-package.js [--out dist/package]
 */
const { build } = require('esbuild')
const { zipSync } = require('fflate')
const { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const { dirname, join, relative, resolve } = require('node:path')
const { parseArgs } = require('node:util')
const { appBundle } = require('../../scripts/app-bundle')
const { billOfMaterials, licencesPage, packagesOf } = require('./bundled-packages')

const root = join(__dirname, '..', '..')
/** Of the app; the first is its entry. */
const BUNDLES = Object.keys(appBundle.entryPoints).map((name) => `${name}.js`)
/** Not bundled: its tables are loaded when a model first needs them, and it finds them by their place in it. */
const UNBUNDLED = ['gpt-tokenizer']
/** Of the zip. Whoever makes it larger looks at what has come in: every start of an instance reads it. */
const ZIP_BYTES_MAX = 8_000_000
/** The earliest that a zip can say, in whatever zone this runs: fflate writes the local one. */
const ZIP_TIME = new Date(1980, 0, 1)

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

/** Files of packages that are in no bundle, as the bundles ask for them, with all that these load. Relative to the repository. */
async function unbundledFiles(bundles) {
  const asked = (call) => [...bundles.matchAll(new RegExp(`\\b${call}\\("(${UNBUNDLED.join('|')}/[^"]+)"\\)`, 'g'))]
  const contents = asked('import').map(([, path]) => `import ${JSON.stringify(path)}`)
  const stdin = { contents: contents.join('\n'), resolveDir: root }
  const { metafile } = await build({
    stdin,
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
    metafile: true,
  })
  const loaded = Object.keys(metafile.inputs).filter((file) => file !== '<stdin>')
  const read = asked('require\\.resolve').map(([, path]) => relative(root, require.resolve(path)))
  const files = [...loaded, ...read].map((file) => file.replaceAll('\\', '/'))
  return [...new Set([...files, ...files.flatMap(descriptionsAbove)])]
}

/** What says whether a file is a module, and of which package. */
function descriptionsAbove(file) {
  const folder = dirname(file)
  if (/(?:^|\/)node_modules$/.test(folder)) return []
  const description = `${folder}/package.json`
  return [...(existsSync(join(root, description)) ? [description] : []), ...descriptionsAbove(folder)]
}

/** Returns the zip's bytes. */
async function assemble(out) {
  rmSync(out, { recursive: true, force: true })
  const { metafile } = await build({ ...appBundle, outdir: out, metafile: true, logLevel: 'warning' })
  const unbundled = await unbundledFiles(BUNDLES.map((file) => readFileSync(join(out, file), 'utf8')).join('\n'))
  for (const file of unbundled) cpSync(join(root, file), join(out, file))

  const json = (file) => JSON.parse(readFileSync(join(root, file), 'utf8'))
  const write = (file, value) => writeFileSync(join(out, file), `${JSON.stringify(value, null, 2)}\n`)
  const description = json('package.json')
  const files = [...Object.keys(metafile.inputs), ...unbundled]
  const packages = packagesOf(files, { root, lockfile: json('package-lock.json') })
  write('host.json', hostFor(process.env.TENANTRY_DURABLE_STORAGE, json('host.json')))
  write('package.json', describePackage(description))
  write('sbom.cdx.json', billOfMaterials(description, packages))
  writeFileSync(join(out, 'licences.txt'), licencesPage(packages))
  return zipped(out)
}

function zipped(folder) {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort()
  return zipSync(Object.fromEntries(paths.map((path) => [path, readFileSync(join(folder, path))])), { mtime: ZIP_TIME })
}

async function run() {
  const { values } = parseArgs({ options: { out: { type: 'string', default: join('dist', 'package') } } })
  process.chdir(root)
  const out = resolve(values.out)
  const zip = await assemble(out)
  if (zip.length > ZIP_BYTES_MAX) throw new Error(`the zip has ${zip.length} bytes, more than ${ZIP_BYTES_MAX}`)
  mkdirSync(dirname(out), { recursive: true })
  writeFileSync(`${out}.zip`, zip)
  const megabytes = (bytes) => `${(bytes / 1_000_000).toFixed(1)} MB`
  console.log(`${relative(root, out)}.zip: ${megabytes(zip.length)} of ${megabytes(ZIP_BYTES_MAX)} at most`)
}

module.exports = { hostFor, describePackage, BUNDLES, UNBUNDLED, ZIP_BYTES_MAX }
if (require.main === module)
  run().catch((error) => {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  })
