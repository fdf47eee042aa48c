import type { Evidence } from '../../src/neighbours/find-noisy-neighbours'

export const evidenceFor = (more: Partial<Evidence>): Evidence => ({
  poolId: 'bke_shared',
  backendIds: ['bke_shared'],
  load: 90_000,
  offered: 90_000,
  usual: 5_000,
  most: 8_000,
  share: 0.9,
  entitledShare: 0.5,
  entitled: 50_000,
  impairedShare: 0.6,
  impairedShareElsewhere: 0.05,
  victims: [],
  ...more,
})
