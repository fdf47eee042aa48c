const { leanFunctionsLibrary } = require('./lean-functions-library')
const { leanStart, apart } = require('./lean-start')

/** How everything of this repository is bundled. */
const bundling = {
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node22',
  format: 'cjs',
  sourcemap: true,
  sourcesContent: false,
}

/**
 * esbuild's options for the app as Azure loads it: main.js, with what is loaded later in bundles beside it. `@azure/functions-core`
 * exists only inside a Functions host; the tokenizer's tables are large and loaded when first needed.
 *
 * Not minified: it makes a start no faster, and a stack is read by people where a host maps no sources.
 */
const appBundle = {
  ...bundling,
  plugins: [leanFunctionsLibrary, leanStart],
  entryPoints: { main: 'src/main.ts', ...apart },
  external: ['@azure/functions-core', 'gpt-tokenizer', 'gpt-tokenizer/*'],
  // Some packages' ES modules ask where they are; in a CommonJS bundle that is the bundle itself.
  define: { 'import.meta.url': 'bundleUrl' },
  banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
}

module.exports = { bundling, appBundle }
