/**
 * `npm run test:long`, and not `npm test`, which is to take a quarter of an hour on two cores: hosts killed at every step of every
 * orchestration, limits raced for in real time by several processes, and what mostly waits for real time to pass.
 */
const LONG = [
  '/kill\\.test\\.ts$',
  '/simulation/(?:limits-processes|budgets-processes|fair-queue)\\.test\\.ts$',
  '/(?:hosting/hosting|recovery/recovery)-stack\\.test\\.ts$',
  '/contract/fine-tuning-refusals\\.test\\.ts$',
  '/offboarding/freeze\\.test\\.ts$',
  '/package/reproducible\\.test\\.ts$',
]
const isLong = process.env['TENANTRY_TEST_LONG'] === 'true'

/** One Azurite serves the whole run (test/harness/azurite.js); every test file takes a prefix of its own in it. */
module.exports = {
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testPathIgnorePatterns: isLong ? [`^(?!.*(?:${LONG.join('|')}))`] : LONG,
  transform: {
    '^.+\\.[cm]?[jt]sx?$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2024' },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  // What is deployed has a package.json of the same name (infra/hooks/assemble-package.js).
  modulePathIgnorePatterns: ['<rootDir>/dist/package'],
  // jose is published as ES modules only.
  transformIgnorePatterns: ['/node_modules/(?!jose/)'],
  globalSetup: '<rootDir>/test/harness/start-azurite.js',
  globalTeardown: '<rootDir>/test/harness/stop-azurite.js',
  testEnvironment: 'node',
  // For a test that hangs, and longer than any takes on a slow machine: no test has a shorter patience of its own.
  testTimeout: 300_000,
  maxWorkers: 2,
}
