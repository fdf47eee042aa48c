const { spawnSync } = require('node:child_process')
const { existsSync } = require('node:fs')
const { join } = require('node:path')

/**
 * Runs a command-line tool of `local/`: node scripts/tool.js NAME [options]. Builds only where nothing is built yet, since a
 * platform that runs beside it (`npm start`) reloads at every build.
 */
const [name = '', ...options] = process.argv.slice(2)
const file = join(__dirname, '..', 'dist', 'local', `${name}.js`)

if (!existsSync(file)) {
  const built = spawnSync(process.execPath, [join(__dirname, 'build.js')], { stdio: 'inherit' })
  if (built.status !== 0) process.exit(built.status ?? 1)
}
process.exit(spawnSync(process.execPath, [file, ...options], { stdio: 'inherit' }).status ?? 1)
