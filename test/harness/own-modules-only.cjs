/**
 * Required before a host: what the app in TENANTRY_TEST_APP loads must be its own or Node's. A module that it would get from
 * anywhere else, as from a repository above it or by NODE_PATH, fails to load. The host's own modules are not concerned.
 */
const { isBuiltin, registerHooks } = require('node:module')
const { realpathSync } = require('node:fs')
const { pathToFileURL } = require('node:url')

const app = `${pathToFileURL(realpathSync(process.env.TENANTRY_TEST_APP)).href}/`

registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context)
    const isOfApp = context.parentURL?.startsWith(app)
    if (isOfApp && !isBuiltin(resolved.url) && !resolved.url.startsWith(app))
      throw new Error(`${specifier} of ${context.parentURL} is not in the package: ${resolved.url}`)
    return resolved
  },
})
