const { spawnSync } = require('node:child_process')

/** The tests that `npm test` leaves out since they take long (jest.config.js): node scripts/test-long.js [jest options]. */
const env = { ...process.env, TENANTRY_TEST_LONG: 'true' }
const jest = [require.resolve('jest/bin/jest'), ...process.argv.slice(2)]
process.exit(spawnSync(process.execPath, jest, { stdio: 'inherit', env }).status ?? 1)
