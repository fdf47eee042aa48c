/** Writes docs/configuration.md (test/infra/settings.test.ts fails while it is not what the schema says). */
const { buildSync } = require('esbuild')
const { writeFileSync } = require('node:fs')
const { join } = require('node:path')

const root = join(__dirname, '..', '..')
const outfile = join(root, 'dist', 'configuration-page.js')
buildSync({
  entryPoints: [join(root, 'test', 'infra', 'configuration-page.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  logLevel: 'warning',
})
writeFileSync(join(root, 'docs', 'configuration.md'), require(outfile).configurationPage())
