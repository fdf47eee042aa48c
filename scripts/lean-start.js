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

/** Modules that files of libraries load at once, by the names that they have there: from now on when they are first used. */
const LATER = [
  { file: 'durable-functions/lib/src/durableClient/DurableClient.js', names: ['axios_1', 'validator_1'] },
  { file: 'durable-functions/lib/src/durableClient/getClient.js', names: ['validator_1', 'cloneDeep'] },
  { file: 'durable-functions/lib/src/orchestrations/DurableOrchestrationContext.js', names: ['moment'] },
  { file: 'durable-functions/lib/src/task/CallHttpWithPollingTask.js', names: ['moment'] },
  { file: 'durable-functions/lib/src/task/LongTimerTask.js', names: ['moment'] },
  // With it comes HTTP/2, which no pool of ours speaks.
  { file: 'undici/lib/dispatcher/client.js', names: ['connectH2'] },
]

/** What makes an agent for a proxy is loaded where there is a proxy. */
const PROXY_AGENTS = ['HttpsProxyAgent', 'HttpProxyAgent']

/**
 * Packages in bundles of their own, which main.js loads when they are first asked for: what is in main.js costs 2 ms of each start
 * for 100 KB, used or not.
 */
const APART = {
  '@azure/identity': 'azure-identity',
  axios: 'axios',
  validator: 'validator',
  moment: 'moment',
  fflate: 'fflate',
  'tinyld/light': 'tinyld-light',
}

/** Files of our own that are one, with all that they import. */
const OWN_APART = { 'azure-monitor-sink': 'src/telemetry/azure-monitor-sink.ts' }

/** Its tables are made when a language is first asked for. */
const TINYLD = `
let light
export const detect = (text) => (light ??= require('tinyld/light')).detect(text)
`

/** `debug` takes it where something else has installed it, as our development tools have. */
const SUPPORTS_COLOR = 'module.exports = undefined'

/** `const moment = require("moment")` becomes a function, and each use of it a call; `require` itself remembers the module. */
function laterIn(path, source) {
  const names = LATER.find(({ file }) => isFile(path, file))?.names ?? []
  return names.reduce((text, name) => {
    const [loading, required] = new RegExp(`const ${name} = (require\\((?:"[^"]+"|'[^']+')\\));?`).exec(text) ?? []
    if (loading === undefined) throw new Error(`${path}: it does not load ${name}`)
    const [before, after] = text.split(loading)
    return `${before}const ${name} = () => ${required};${after.replaceAll(new RegExp(`\\b${name}\\b`, 'g'), `${name}()`)}`
  }, source)
}

const isFile = (path, file) => path.replaceAll('\\', '/').endsWith(`/node_modules/${file}`)

/** `import { HttpProxyAgent } from "http-proxy-agent"` becomes a `require` where an agent is made. */
function proxyAgentsIn(path, source) {
  return PROXY_AGENTS.reduce((text, name) => {
    const [loading, required] = new RegExp(`import \\{ ${name} \\} from ("[^"]+");`).exec(text) ?? []
    if (loading === undefined) throw new Error(`${path}: it does not load ${name}`)
    const changed = text.replace(loading, '').replaceAll(`new ${name}(`, `new (require(${required}).${name})(`)
    if (!changed.includes(`.${name})(`)) throw new Error(`${path}: it makes no ${name}`)
    return changed
  }, source)
}

/** Loads a file as `change` makes it; what cannot be changed fails the build. */
const changedBy = (change) => async (args) => {
  try {
    return { contents: change(args.path, await readFile(args.path, 'utf8')), loader: 'js' }
  } catch (error) {
    return { errors: [{ text: error.message }] }
  }
}

/** An esbuild plugin. */
const leanStart = {
  name: 'lean-start',
  setup({ onResolve, onLoad }) {
    const made = { undici: UNDICI, 'tinyld/light': TINYLD, 'supports-color': SUPPORTS_COLOR }
    onLoad({ filter: /.*/, namespace: 'lean-start' }, ({ path }) => ({
      contents: made[path],
      resolveDir: __dirname,
      loader: 'js',
    }))
    onResolve({ filter: /^(?:undici|supports-color)$/ }, ({ path }) => ({ path, namespace: 'lean-start' }))
    onResolve({ filter: new RegExp(`^(?:${Object.keys(APART).join('|')})$`) }, ({ path, kind }) => {
      if (kind === 'entry-point') return
      if (kind !== 'import-statement') return { path: `./${APART[path]}.js`, external: true }
      if (path in made) return { path, namespace: 'lean-start' }
      return { errors: [{ text: `${path} is to be loaded when it is first needed` }] }
    })
    onResolve({ filter: new RegExp(`^\\./(?:${Object.keys(OWN_APART).join('|')})$`) }, ({ path, kind }) => {
      if (kind === 'dynamic-import') return { path: `${path}.js`, external: true }
      return { errors: [{ text: `${path} is to be loaded by import() alone` }] }
    })
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, ({ path }) => ({
      contents: ZOD_LOCALES,
      resolveDir: dirname(path),
      loader: 'js',
    }))
    onLoad({ filter: /[\\/](?:durable-functions|undici)[\\/]lib[\\/].*\.js$/ }, changedBy(laterIn))
    onLoad(
      { filter: /[\\/]ts-http-runtime[\\/]dist[\\/]esm[\\/]policies[\\/]proxyPolicy\.js$/ },
      changedBy(proxyAgentsIn),
    )
  },
}

module.exports = {
  leanStart,
  /** Entry points of the bundles apart, by their names. */
  apart: { ...Object.fromEntries(Object.entries(APART).map(([name, bundle]) => [bundle, name])), ...OWN_APART },
}
