const { createRequire } = require('node:module')
const ofAzurite = createRequire(require.resolve('azurite/package.json'))

/**
 * Azurite compares each request with all operations there are, and for each of them compiles its path's template anew and parses the
 * query once for every parameter: half of its processor time. What has been found out once is remembered; no answer changes by it.
 */
const MATCHES_MAX = 10_000

for (const service of ['blob', 'queue', 'table']) {
  const utils = ofAzurite(`./dist/src/${service}/generated/utils/utils`)
  const { isURITemplateMatch } = utils
  // By template and by what stands in for the path: `/container/blob`, say.
  const matches = new Map()
  utils.isURITemplateMatch = (path, template) => {
    const key = `${template} ${path}`
    const known = matches.get(key)
    if (known !== undefined) return known
    const isMatch = isURITemplateMatch(path, template)
    if (matches.size < MATCHES_MAX) matches.set(key, isMatch)
    return isMatch
  }
}

const request = ofAzurite('express/lib/request')
const parsed = new WeakMap()
const { get: parse } = Object.getOwnPropertyDescriptor(request, 'query')
Object.defineProperty(request, 'query', {
  configurable: true,
  enumerable: true,
  get() {
    const known = parsed.get(this)
    if (known?.url === this.url) return known.query
    const query = parse.call(this)
    parsed.set(this, { url: this.url, query })
    return query
  },
})
