const { execFileSync, spawnSync } = require('node:child_process')
const { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { dirname, join } = require('node:path')
const { unzipSync } = require('fflate')

/**
 * Runs the end-to-end tests against the packaged app alone: its zip is unpacked in an empty folder outside of the repository, and
 * the host of every test's stack loads it from there and may take no module from elsewhere (test/harness/own-modules-only.cjs).
 *
 *     npm run test:package [-- jest's options]
 */
const END_TO_END = ['contract', 'functions/inference', 'onboarding', 'offboarding', 'attack', 'batches', 'chaos']

const root = join(__dirname, '..')
execFileSync(process.execPath, [join(root, 'infra', 'hooks', 'assemble-package.js')], { stdio: 'inherit' })
const app = mkdtempSync(join(tmpdir(), 'tenantry-package-'))
try {
  for (const [path, bytes] of Object.entries(unzipSync(readFileSync(join(root, 'dist', 'package.zip'))))) {
    mkdirSync(dirname(join(app, path)), { recursive: true })
    writeFileSync(join(app, path), bytes)
  }
  const options = process.argv.length > 2 ? process.argv.slice(2) : END_TO_END.map((folder) => `test/${folder}/`)
  const env = { ...process.env, TENANTRY_TEST_APP: app }
  const jest = [require.resolve('jest/bin/jest'), ...options]
  process.exitCode = spawnSync(process.execPath, jest, { stdio: 'inherit', env }).status ?? 1
} finally {
  rmSync(app, { recursive: true, force: true })
}
