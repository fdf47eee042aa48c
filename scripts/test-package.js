const { execFileSync } = require('node:child_process')
const { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { dirname, join } = require('node:path')
const { unzipSync } = require('fflate')
const { runSuitesFromCommandLine } = require('./suites/run-suites')

const root = join(__dirname, '..')
/** A suite is end to end where it starts the app on a host: by this file, be it imported by another. */
const STARTS_THE_APP = join(root, 'test', 'harness', 'stack.ts')

/** The package's files in a new folder outside of the repository. */
function unpack() {
  execFileSync(process.execPath, [join(root, 'infra', 'hooks', 'assemble-package.js')], { stdio: 'inherit' })
  const app = mkdtempSync(join(tmpdir(), 'tenantry-package-'))
  for (const [path, bytes] of Object.entries(unzipSync(readFileSync(join(root, 'dist', 'package.zip'))))) {
    mkdirSync(dirname(join(app, path)), { recursive: true })
    writeFileSync(join(app, path), bytes)
  }
  return { env: { TENANTRY_TEST_APP: app }, clear: () => rmSync(app, { recursive: true, force: true }) }
}

/** npm run test:package [-- --help] */
runSuitesFromCommandLine({
  command: 'test:package',
  about: `Runs the end-to-end tests against the packaged app alone: its zip is unpacked in an empty folder outside of the repository,
and the host of every test loads it from there and may take no module from elsewhere (test/harness/own-modules-only.cjs).`,
  search: ['--findRelatedTests', STARTS_THE_APP],
  prepare: unpack,
})
