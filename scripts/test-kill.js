const { spawnSync } = require('node:child_process')

/** The kill tests at every step boundary, where `npm test` takes every third: node scripts/test-kill.js [jest options]. */
const env = { ...process.env, TENANTRY_TEST_KILL: 'at every moment' }
const jest = [require.resolve('jest/bin/jest'), '--testPathPatterns', '/kill\\.test\\.ts$', ...process.argv.slice(2)]
process.exit(spawnSync(process.execPath, jest, { stdio: 'inherit', env }).status ?? 1)
