import { setFlagsFromString } from 'node:v8'

/**
 * Imported before anything that makes objects. V8 allots what survived its collections of young objects, at some place of the code, in
 * the old generation from then on. At a start its young generation is so small that a few calls at once survive all of them, and from
 * then on each call's objects are old from birth, hold what they point to, and wait for a full collection: a third of a call's
 * processor time, and 200 MB of memory (docs/decisions/0002).
 */
setFlagsFromString('--no-allocation-site-pretenuring')

/**
 * How much the old generation may grow beyond what the last full collection left, before the next one begins: by this percentage.
 * Without it V8 decides by how fast a process allocates, and lets old objects come to four times what is alive. Where memory is what an
 * instance is sized and billed by (512 MB the smallest) a full collection more is the cheaper. Much less than this is not: what calls read
 * and write lies in buffers, which count as old memory until the next collection of young objects, and alone would begin three full ones
 * a second (docs/decisions/0041).
 */
setFlagsFromString('--heap-growing-percent=80')
