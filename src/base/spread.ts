import { seedOf } from './seeded-fraction'

/** Which of `among` an id falls to, from 0: always the same, and of many ids about as many to each. */
export const spread = (id: string, among: number): number => seedOf(id) % among
