const { build } = require('esbuild')
const { existsSync } = require('node:fs')

/**
 * Builds the app as Azure loads it (dist/main.js, one bundle) and, beside it, the tools of the local stack.
 * `@azure/functions-core` exists only inside a Functions host; the tokenizer's tables are large and loaded when first needed.
 */
const app = {
  entryPoints: { main: 'src/main.ts' },
  external: ['@azure/functions-core', 'gpt-tokenizer', 'gpt-tokenizer/*'],
}
const local = {
  entryPoints: {
    'local/start': 'local/start.ts',
    'local/host': 'local/host/main.ts',
    'local/simulator': 'local/simulator/main.ts',
  },
  packages: 'external',
}

const shared = { outdir: 'dist', bundle: true, platform: 'node', target: 'node22', format: 'cjs', sourcemap: true }

async function run() {
  for (const part of [app, local]) {
    const entryPoints = Object.fromEntries(Object.entries(part.entryPoints).filter(([, file]) => existsSync(file)))
    if (Object.keys(entryPoints).length > 0) await build({ ...shared, ...part, entryPoints, logLevel: 'warning' })
  }
}

run().catch(() => process.exit(1))
