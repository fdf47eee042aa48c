/**
 * Of the moments at which a test kills a host, every third, which are before and after steps in turn; each takes a run of seconds.
 * All of them with `npm run test:kill`.
 */
export const momentsToKill = <Moment>(all: readonly Moment[]): Moment[] =>
  process.env['TENANTRY_TEST_KILL'] === 'at every moment' ? [...all] : all.filter((_, i) => i % 3 === 0)
