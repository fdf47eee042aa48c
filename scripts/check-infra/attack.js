/**
 * One tenant's attempts on another's things, against a running platform: two tenants' owners' keys in TENANTRY_ATTACK_KEY_A and
 * TENANTRY_ATTACK_KEY_B (a command line could be read by others), its address in TENANTRY_TARGET_URL or
 *
 *     npm run attack -- --base-url https://…
 *
 * Ends with 1 where anything was let through, with 2 where it could not be tried.
 */
const { buildSync } = require('esbuild')
const { join } = require('node:path')
const { parseArgs } = require('node:util')

const root = join(__dirname, '..', '..')
/** What CI sets (.github/workflows/attack.yml). */
const VARIABLES = ['TENANTRY_TARGET_URL', 'TENANTRY_ATTACK_KEY_A', 'TENANTRY_ATTACK_KEY_B']

async function run() {
  const { values } = parseArgs({ options: { 'base-url': { type: 'string' } } })
  const given = { ...process.env, ...(values['base-url'] ? { TENANTRY_TARGET_URL: values['base-url'] } : {}) }
  const [url, keyOfA, keyOfB] = VARIABLES.map((name) => {
    if (!given[name]) throw new Error(`${name} is not set`)
    return given[name]
  })
  const outfile = join(root, 'dist', 'attack-deployed.js')
  const entryPoints = [join(root, 'test', 'infra', 'attack-deployed.ts')]
  buildSync({ entryPoints, outfile, bundle: true, platform: 'node', format: 'cjs', logLevel: 'warning' })
  const target = { url: url.replace(/\/+$/, ''), keyOfA, keyOfB }
  const { attempts, kinds, breaches } = await require(outfile).attackDeployed(target)
  console.log(`${attempts} attempts on ${kinds.join(', ')}: ${breaches.length} let through`)
  for (const breach of breaches) console.error(breach)
  process.exitCode = breaches.length === 0 ? 0 : 1
}

module.exports = { VARIABLES }
if (require.main === module)
  run().catch((error) => {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 2
  })
