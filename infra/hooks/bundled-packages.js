/**
 * What of other people's is in the package: which packages, at which version, under which licence. Told by what the bundler has put
 * in, not by what is installed, of which most is for development only.
 */
const { readdirSync, readFileSync } = require('node:fs')
const { join } = require('node:path')

/**
 * The packages that files are of, each once, by name and version. `files` and the lockfile's paths are relative to `root`.
 * Throws for a file of a development dependency, of a package that the lockfile does not know, or one without a licence.
 */
function packagesOf(files, { root, lockfile }) {
  const places = new Set(files.map(packagePlace).filter((place) => place !== undefined))
  const packages = [...places].map((place) => describe(place, root, lockfile.packages[place]))
  // Of one version there are several copies where npm could not put it where all of its users look.
  return [...new Map(packages.map((one) => [`${one.name}@${one.version}`, one])).values()].sort(byNameAndVersion)
}

/** `node_modules/axios/node_modules/debug/src/node.js` is of the package in `node_modules/axios/node_modules/debug`. */
function packagePlace(file) {
  return /^.*(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file.replaceAll('\\', '/'))?.[0]
}

function describe(place, root, locked) {
  if (!locked) throw new Error(`${place} is not in package-lock.json`)
  if (locked.dev) throw new Error(`${place} is a development dependency, and is not to be deployed`)
  const { name, version, license } = JSON.parse(readFileSync(join(root, place, 'package.json'), 'utf8'))
  if (version !== locked.version) throw new Error(`${place} is ${version}; package-lock.json says ${locked.version}`)
  if (typeof license !== 'string') throw new Error(`${place} does not say its licence`)
  return { name, version, license, integrity: locked.integrity, texts: licenceTexts(join(root, place)) }
}

/** The licence and whatever notice its licence has us hand on. */
function licenceTexts(folder) {
  const files = readdirSync(folder).filter((file) => /^(?:licen[cs]e|copying|notice)/i.test(file))
  return files.sort().map((file) => readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim())
}

const byNameAndVersion = (a, b) => compare(a.name, b.name) || compare(a.version, b.version)
/** By code units: the same in every locale. */
const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0)

/**
 * The bill of materials, as CycloneDX 1.6 in JSON (https://cyclonedx.org/docs/1.6/json). Without a serial number and a time, which
 * are optional there: the same package has the same bytes.
 */
function billOfMaterials({ name, version }, packages) {
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'application', 'bom-ref': `${name}@${version}`, name, version } },
    components: packages.map(component),
  }
}

function component({ name, version, license, integrity }) {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`
  const [, algorithm, digest = ''] = /^(sha512)-(\S+)$/.exec(integrity ?? '') ?? []
  const hashes = algorithm && [{ alg: 'SHA-512', content: Buffer.from(digest, 'base64').toString('hex') }]
  const isExpression = /[ ()]/.test(license)
  const licenses = [isExpression ? { expression: license } : { license: { id: license } }]
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    purl,
    scope: 'required',
    ...(hashes && { hashes }),
    licenses,
  }
}

/** Every package with its licence's text, as licences want it wherever the software goes. */
function licencesPage(packages) {
  const entries = packages.map(({ name, version, license, texts }) =>
    [`${name} ${version} (${license})`, ...texts].join('\n\n'),
  )
  return `${entries.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`
}

module.exports = { packagesOf, billOfMaterials, licencesPage }
