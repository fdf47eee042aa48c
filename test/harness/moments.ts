/**
 * Of the moments at which a test kills a host, every `nth`: an odd number takes turns between before and after a step. Each takes a run of
 * seconds; all of them with `npm run test:kill`.
 */
export const momentsToKill = <Moment>(all: readonly Moment[], nth = 3): Moment[] =>
  process.env['TENANTRY_TEST_KILL'] === 'at every moment' ? [...all] : all.filter((_, i) => i % nth === 0)
