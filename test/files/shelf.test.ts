import { Problem } from '../../src/base/problem'
import { TENANT_BYTES_MAX, TENANT_FILES_MAX, UNDER_WAY_MAX } from '../../src/files/file-bounds'
import {
  begun,
  deletionBegun,
  dueAt,
  emptyShelf,
  ended,
  grown,
  settled,
  turned,
  type Shelf,
} from '../../src/files/shelf'

const creating = (bytes: number) => ({ kind: 'creating', fileId: 'file-1', bytes, until: 100 }) as const
const ok = (shelf: Shelf | Problem | undefined): Shelf => {
  if (!shelf || shelf instanceof Problem) throw new Error('not done')
  return shelf
}
const half = TENANT_BYTES_MAX / 2

describe('room for files', () => {
  it('is taken by what is under way as by what is there', () => {
    const one = ok(begun(emptyShelf, 'a', creating(half)))
    const both = ok(begun(one, 'b', creating(half)))
    expect(begun(both, 'c', creating(1))).toMatchObject({ code: 'file_quota_exceeded' })
    const there = ok(settled(both, { id: 'a', kind: 'creating' }, { bytes: half, expiresAt: undefined }))
    expect(begun(there, 'c', creating(1))).toMatchObject({ code: 'file_quota_exceeded' })
    expect(begun(ended(there, 'b'), 'c', creating(half))).not.toBeInstanceOf(Problem)
  })

  it('is asked for again where more comes than was known', () => {
    const shelf = ok(begun(ok(begun(emptyShelf, 'a', creating(half))), 'b', creating(0)))
    expect(ok(grown(shelf, 'b', half)).underWay['b']?.bytes).toBe(half)
    expect(grown(shelf, 'b', half + 1)).toMatchObject({ code: 'file_quota_exceeded' })
    expect(grown(shelf, 'a', 1)).toBe(shelf)
  })

  it('is free when a deletion has ended, not before', () => {
    const full: Shelf = { ...emptyShelf, files: 1, bytes: TENANT_BYTES_MAX }
    const going = ok(deletionBegun(full, { id: 'file-1', bytes: TENANT_BYTES_MAX, until: 1 }))
    expect(going).toMatchObject({ files: 0, bytes: 0 })
    expect(begun(going, 'a', creating(1))).toMatchObject({ code: 'file_quota_exceeded' })
    expect(begun(ended(going, 'file-1'), 'a', creating(1))).not.toBeInstanceOf(Problem)
  })

  it('is bounded in files too, and in what is under way', () => {
    const many: Shelf = { ...emptyShelf, files: TENANT_FILES_MAX - 1 }
    const last = ok(begun(many, 'a', creating(1)))
    expect(begun(last, 'b', creating(1))).toMatchObject({ code: 'file_quota_exceeded' })
    expect(grown(last, 'a', 2)).not.toBeInstanceOf(Problem)
    let busy = emptyShelf
    for (let n = 0; n < UNDER_WAY_MAX; n++) busy = ok(begun(busy, `${n}`, creating(1)))
    expect(begun(busy, 'one more', creating(1))).toMatchObject({ code: 'concurrency_limit_exceeded' })
  })
})

describe('what has begun', () => {
  it('is ended once: whoever comes later finds it taken', () => {
    const shelf = ok(begun(emptyShelf, 'a', creating(5)))
    const cleared = ok(turned(shelf, 'a', 'creating', { kind: 'clearing', bytes: 0, until: 1 }))
    expect(settled(cleared, { id: 'a', kind: 'creating' }, { bytes: 5, expiresAt: undefined })).toBeUndefined()
    const file = ok(settled(shelf, { id: 'a', kind: 'creating' }, { bytes: 5, expiresAt: undefined }))
    expect(turned(file, 'a', 'creating', creating(1))).toBeUndefined()
    expect(file).toMatchObject({ files: 1, bytes: 5, underWay: {}, added: 1 })
  })

  it('is looked at when its time is over, or when the first file expires', () => {
    expect(dueAt(emptyShelf)).toBeUndefined()
    const shelf = ok(begun(emptyShelf, 'a', creating(5)))
    expect(dueAt(shelf)).toBe(100)
    const later = ok(settled(shelf, { id: 'a', kind: 'creating' }, { bytes: 5, expiresAt: 70 }))
    expect(dueAt({ ...later, underWay: { b: creating(1) } })).toBe(70)
  })

  it('and is not there changes nothing when it ends', () => {
    expect(ended(emptyShelf, 'a')).toBe(emptyShelf)
    expect(
      deletionBegun(ok(deletionBegun(emptyShelf, { id: 'file-1', bytes: 0, until: 1 })), {
        id: 'file-1',
        bytes: 0,
        until: 1,
      }),
    ).toBeUndefined()
  })
})
