const { readFile } = require('node:fs/promises')
const { dirname } = require('node:path')

/**
 * What libraries load and evaluate at once, though no start of the app needs it, is left out of the bundle, or waits until it is asked for:
 * a quarter of the processor's time until the app is loaded. A release of a library that looks different fails the build rather
 * than losing this in silence.
 */

/** Of `undici` the app makes agents and pools; its index brings fetch, web sockets, caches and mocks as well. */
const UNDICI = `
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js'
import api from 'undici/lib/api/index.js'
Object.assign(Dispatcher.prototype, api)
export { default as Agent } from 'undici/lib/dispatcher/agent.js'
export { default as Pool } from 'undici/lib/dispatcher/pool.js'
`

/** The app has its own words for what is wrong with an input; of fifty languages zod's code names this one. */
const ZOD_LOCALES = "export { default as en } from './en.js'"

/** Modules that files of `durable-functions` load at once, by the names that they have there: from now on when they are first used. */
const LATER = [
  { file: 'durableClient/DurableClient.js', names: ['axios_1', 'validator_1'] },
  { file: 'durableClient/getClient.js', names: ['validator_1', 'cloneDeep'] },
  { file: 'orchestrations/DurableOrchestrationContext.js', names: ['moment'] },
  { file: 'task/CallHttpWithPollingTask.js', names: ['moment'] },
  { file: 'task/LongTimerTask.js', names: ['moment'] },
]

/** A package in a bundle of its own, which main.js loads when it is first asked for. */
const APART = { '@azure/identity': 'azure-identity' }

/** `const moment = require("moment")` becomes a function, and each use of it a call; `require` itself remembers the module. */
function laterIn(path, source) {
  const normal = path.replaceAll('\\', '/')
  const { names } = LATER.find(({ file }) => normal.endsWith(`/durable-functions/lib/src/${file}`)) ?? { names: [] }
  return names.reduce((text, name) => {
    const [loading, required] = new RegExp(`const ${name} = (require\\("[^"]+"\\));`).exec(text) ?? []
    if (loading === undefined) throw new Error(`${path}: it does not load ${name}`)
    const [before, after] = text.split(loading)
    return `${before}const ${name} = () => ${required};${after.replaceAll(new RegExp(`\\b${name}\\b`, 'g'), `${name}()`)}`
  }, source)
}

/** An esbuild plugin. */
const leanStart = {
  name: 'lean-start',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^undici$/ }, () => ({ path: 'undici', namespace: 'lean-start' }))
    onLoad({ filter: /.*/, namespace: 'lean-start' }, () => ({ contents: UNDICI, resolveDir: __dirname, loader: 'js' }))
    onResolve({ filter: /^@azure\/identity$/ }, ({ path, kind }) => {
      if (kind === 'dynamic-import') return { path: `./${APART[path]}.js`, external: true }
      if (kind !== 'entry-point') return { errors: [{ text: `${path} is to be loaded by import() alone` }] }
    })
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, ({ path }) => ({
      contents: ZOD_LOCALES,
      resolveDir: dirname(path),
      loader: 'js',
    }))
    onLoad({ filter: /[\\/]durable-functions[\\/]lib[\\/]src[\\/].*\.js$/ }, async ({ path }) => {
      try {
        return { contents: laterIn(path, await readFile(path, 'utf8')), loader: 'js' }
      } catch (error) {
        return { errors: [{ text: error.message }] }
      }
    })
  },
}

module.exports = {
  leanStart,
  /** Entry points of the bundles apart, by their names. */
  apart: Object.fromEntries(Object.entries(APART).map(([name, bundle]) => [bundle, name])),
}
