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
    by: 'const nativeReq = new LeanRequest(url, {',
  },
  {
    // Compiled private fields. Every entry of a weak map costs a lookup by hash and is work for the garbage collector.
    what: 'a weak map for every private field',
    pattern: /(?<=_\w+ = )new WeakMap\(\)/g,
    times: 19,
    by: 'new PrivateField()',
  },
  {
    what: 'a weak set for private methods',
    pattern: /(?<=_instances = )new WeakSet\(\)/g,
    times: 1,
    by: 'new PrivateMethods()',
  },
  {
    // Two more promises and three more closures than the engine's own for each `await`.
    what: 'the helper of compiled async functions',
    pattern:
      /var __awaiter = \(this && this\.__awaiter\) \|\| function \(thisArg, _arguments, P, generator\) \{[\s\S]*?\n\};/g,
    times: 6,
    by: 'var __awaiter = (self, _arguments, _P, generator) => leanAwaiter(generator.call(self));',
  },
  {
    what: 'the names in the connection header, for each header of an answer',
    pattern: /!getConnectionHeaderNames\(connectionHeader\)\.has\(normalizedHeaderName\)/g,
    times: 1,
    by: '(!connectionHeader || !getConnectionHeaderNames(connectionHeader).has(normalizedHeaderName))',
  },
]

const HELPERS = `const { LeanRequest } = require(${JSON.stringify(LEAN_REQUEST)})
class PrivateField {
  key = Symbol()
  has(object) { return this.key in object }
  get(object) { return object[this.key] }
  set(object, value) { object[this.key] = value }
}
class PrivateMethods extends PrivateField {
  add(object) { this.set(object, true) }
}
async function leanAwaiter(steps) {
  let step = steps.next()
  while (!step.done) {
    let value
    try {
      value = await step.value
    } catch (error) {
      step = steps.throw(error)
      continue
    }
    step = steps.next(value)
  }
  return step.value
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
      return { contents: `${HELPERS}\n${source}`, loader: 'js' }
    })
  },
}
