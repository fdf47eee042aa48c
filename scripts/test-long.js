const { runSuitesFromCommandLine } = require('./suites/run-suites')

/** npm run test:long [-- --help] */
runSuitesFromCommandLine({
  command: 'test:long',
  about: 'Runs the tests that npm test leaves out since they take long: those that jest.config.js names.',
  env: { TENANTRY_TEST_LONG: 'true' },
})
