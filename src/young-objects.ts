import { setFlagsFromString } from 'node:v8'

/**
 * Imported before anything that makes objects. V8 allots what survived its collections of young objects, at some place of the code, in
 * the old generation from then on. At a start its young generation is so small that a few calls at once survive all of them, and from
 * then on each call's objects are old from birth, hold what they point to, and wait for a full collection: a third of a call's
 * processor time, and 200 MB of memory (docs/decisions/0002).
 */
setFlagsFromString('--no-allocation-site-pretenuring')
