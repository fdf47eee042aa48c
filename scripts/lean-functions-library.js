const { readFile } = require('node:fs/promises')
const { join } = require('node:path')

const DIRECT_INVOCATION = join(__dirname, '..', 'src', 'http', 'direct-invocation.ts')

/**
 * Where `directInvocation` gets into the library (docs/decisions/0002). A release of the library that looks different fails the build
 * rather than losing the change in silence.
 */
const REPLACEMENTS = [
  {
    what: 'its model of an invocation',
    pattern: /return new InvocationModel_1\.InvocationModel\(coreCtx\);/g,
    by: 'return directInvocation(coreCtx, httpProxy_1) ?? new InvocationModel_1.InvocationModel(coreCtx);',
  },
  {
    what: 'the calls that its HTTP server has taken',
    pattern: /const requests = \{\};\nconst responses = \{\};/g,
    by: 'const requests = {};\nconst responses = {};\nexports.requests = requests;\nexports.responses = responses;',
  },
]

/** An esbuild plugin. */
exports.leanFunctionsLibrary = {
  name: 'lean-functions-library',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]@azure[\\/]functions[\\/]dist[\\/]azure-functions\.js$/ }, async ({ path }) => {
      let source = await readFile(path, 'utf8')
      for (const { what, pattern, by } of REPLACEMENTS) {
        const found = source.match(pattern)?.length ?? 0
        if (found !== 1) return { errors: [{ text: `${path}: ${what} was found ${found} times, not once` }] }
        source = source.replace(pattern, () => by)
      }
      const joined = `const { directInvocation } = require(${JSON.stringify(DIRECT_INVOCATION)});`
      return { contents: `${joined}\n${source}`, loader: 'js' }
    })
  },
}
