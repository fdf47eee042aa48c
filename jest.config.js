/** One Azurite serves the whole run (test/harness/azurite.js); every test file takes a prefix of its own in it. */
module.exports = {
  testMatch: ['<rootDir>/test/**/*.test.ts'],
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
  // jose is published as ES modules only.
  transformIgnorePatterns: ['/node_modules/(?!jose/)'],
  globalSetup: '<rootDir>/test/harness/start-azurite.js',
  globalTeardown: '<rootDir>/test/harness/stop-azurite.js',
  testEnvironment: 'node',
  testTimeout: 90_000,
  maxWorkers: 2,
}
