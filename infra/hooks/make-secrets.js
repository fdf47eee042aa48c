/**
 * Before the first `azd provision`: what only the installation may know, made once and kept in azd's environment (a file on
 * this machine; in CI the variables are given). Printed is the operator token alone, since nothing keeps it but its hash.
 */
const { createHash, randomBytes } = require('node:crypto')
const { execFileSync } = require('node:child_process')

const PEPPER_BYTES = 48
const TOKEN_BYTES = 32

/**
 * What is missing in an environment, by name: `set` goes into azd's environment, `token` to whoever runs this.
 * The budget's month is kept since Azure takes no other one later.
 */
function missingIn(env, { random, now }) {
  const set = {}
  let token
  // In hex, since a value that begins with a hyphen would be an option to azd.
  if (!env.TENANTRY_KEY_PEPPER) set.TENANTRY_KEY_PEPPER = random(PEPPER_BYTES).toString('hex')
  if (!env.TENANTRY_OPERATOR_TOKEN_HASHES) {
    token = random(TOKEN_BYTES).toString('hex')
    set.TENANTRY_OPERATOR_TOKEN_HASHES = createHash('sha256').update(token).digest('hex')
  }
  if (!env.TENANTRY_BUDGET_START) set.TENANTRY_BUDGET_START = `${now.toISOString().slice(0, 7)}-01`
  return { set, token }
}

function run() {
  const { set, token } = missingIn(process.env, { random: randomBytes, now: new Date() })
  // azd is a program of its own on every system, so no shell reads the values.
  for (const [name, value] of Object.entries(set)) execFileSync('azd', ['env', 'set', name, value])
  if (token) console.log(`The operator token (keep it; it is shown once): ${token}`)
}

module.exports = { missingIn }
if (require.main === module) run()
