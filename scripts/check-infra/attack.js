/**
 * One tenant's attempts on another's things, against a deployed platform: TENANTRY_TARGET_URL, and two tenants' owners' keys in
 * TENANTRY_ATTACK_KEY_A and TENANTRY_ATTACK_KEY_B. Ends with 1 where anything was let through.
 */
const { buildSync } = require('esbuild')
const { join } = require('node:path')

const root = join(__dirname, '..', '..')

async function run() {
  const [url, keyOfA, keyOfB] = ['TENANTRY_TARGET_URL', 'TENANTRY_ATTACK_KEY_A', 'TENANTRY_ATTACK_KEY_B'].map(
    (name) => {
      const value = process.env[name]
      if (!value) throw new Error(`${name} is not set`)
      return value
    },
  )
  const outfile = join(root, 'dist', 'attack-deployed.js')
  const entryPoints = [join(root, 'test', 'infra', 'attack-deployed.ts')]
  buildSync({ entryPoints, outfile, bundle: true, platform: 'node', format: 'cjs', logLevel: 'warning' })
  const target = { url: url.replace(/\/+$/, ''), keyOfA, keyOfB }
  const { attempts, kinds, breaches } = await require(outfile).attackDeployed(target)
  console.log(`${attempts} attempts on ${kinds.join(', ')}: ${breaches.length} let through`)
  for (const breach of breaches) console.error(breach)
  process.exitCode = breaches.length === 0 ? 0 : 1
}

run().catch((error) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 2
})
