const { build } = require('esbuild')
const { existsSync } = require('node:fs')
const { appBundle, bundling } = require('./app-bundle')
const { apart } = require('./lean-start')

/** Builds the app and the tools of the local stack into dist/. */
const local = {
  entryPoints: {
    'local/start': 'local/start.ts',
    'local/audit-verify': 'local/audit-verify-command.ts',
    'local/drill-recovery': 'local/drill-recovery.ts',
    'local/token': 'local/token.ts',
    'local/certificate-verify': 'local/certificate-verify.ts',
    'local/export-open': 'local/export-open.ts',
    'local/azurite-preload': 'local/host/launcher/azurite-preload/index.js',
    'local/host': 'local/host/main.ts',
    'local/simulator': 'local/simulator/main.ts',
  },
  packages: 'external',
}
const bench = {
  entryPoints: {
    'bench/overhead': 'bench/overhead.ts',
    'bench/soak': 'bench/soak.ts',
    'chaos/soak': 'test/chaos/soak.ts',
    'simulation/simulate-limits': 'test/simulation/simulate-limits.ts',
    'bench/fairness': 'bench/fairness.ts',
    'bench/forecast': 'bench/forecast.ts',
    'bench/rollup': 'bench/rollup.ts',
    'bench/timers': 'bench/timers.ts',
    'bench/noisy': 'bench/noisy.ts',
    'bench/streams': 'bench/streams.ts',
    'bench/telemetry': 'bench/telemetry.ts',
    'bench/dataset': 'bench/dataset.ts',
    'bench/scale': 'bench/scale.ts',
    'bench/surfaces': 'bench/surfaces.ts',
    'bench/onboarding': 'bench/onboarding.ts',
    'bench/bare-proxy': 'bench/bare-proxy.ts',
    'bench/coldstart': 'bench/coldstart.ts',
    'bench/load-app': 'bench/load-app.ts',
    'bench/serve-on-node': 'bench/serve-on-node.ts',
  },
  packages: 'external',
}

const isThere = (file) => existsSync(file) || Object.values(apart).includes(file)

async function run() {
  for (const part of [appBundle, local, bench]) {
    const entryPoints = Object.fromEntries(Object.entries(part.entryPoints).filter(([, file]) => isThere(file)))
    if (Object.keys(entryPoints).length > 0) await build({ ...bundling, ...part, entryPoints, logLevel: 'warning' })
  }
}

run().catch(() => process.exit(1))
