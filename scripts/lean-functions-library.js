const { readFile } = require('node:fs/promises')
const { join } = require('node:path')

const LEAN_REQUEST = join(__dirname, '..', 'src', 'http', 'lean-request.ts')

/**
 * What the library does for every call that is replaced in the bundle, since it costs more than all of our own work
 * (docs/decisions/0002). A release of the library that looks different fails the build rather than losing the change in silence.
 */
const REPLACEMENTS = [
  {
    what: "fetch's request for every call",
    pattern: /const nativeReq = new Request\(url, \{/g,
    times: 1,
    by: `const nativeReq = new (require(${JSON.stringify(LEAN_REQUEST)}).LeanRequest)(url, {`,
  },
  {
    // Compiled private fields. Every entry of a weak map costs a lookup by hash and is work for the garbage collector.
    what: 'a weak map for every private field',
    pattern: /(?<=_\w+ = )new WeakMap\(\)/g,
    times: 19,
    by: 'new PrivateField()',
  },
]

const PRIVATE_FIELD = `class PrivateField {
  key = Symbol()
  has(object) { return this.key in object }
  get(object) { return object[this.key] }
  set(object, value) { object[this.key] = value }
}`

/** An esbuild plugin. */
exports.leanFunctionsLibrary = {
  name: 'lean-functions-library',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]@azure[\\/]functions[\\/]dist[\\/]azure-functions\.js$/ }, async ({ path }) => {
      let source = await readFile(path, 'utf8')
      for (const { what, pattern, times, by } of REPLACEMENTS) {
        const found = source.match(pattern)?.length ?? 0
        if (found !== times) return { errors: [{ text: `${path}: ${what} was found ${found} times, not ${times}` }] }
        source = source.replace(pattern, () => by)
      }
      return { contents: `${PRIVATE_FIELD}\n${source}`, loader: 'js' }
    })
  },
}
