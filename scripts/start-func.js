const { spawnSync } = require('node:child_process')

/** Runs the built app on the official host, whose settings are local.settings.json. */
const { status, error } = spawnSync('func', ['start', ...process.argv.slice(2)], { stdio: 'inherit' })
if (error?.code === 'ENOENT') {
  console.error(
    'func is not installed. Get the Azure Functions Core Tools (npm i -g azure-functions-core-tools@4), or use npm start.',
  )
}
process.exit(status ?? 1)
