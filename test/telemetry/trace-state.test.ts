import { readTraceState } from '../../src/telemetry/trace-state'

const member = (name: string, characters: number) => `${name}=${'x'.repeat(characters - name.length - 1)}`

describe('a tracestate', () => {
  it('is passed on as it came, but for blanks around its members and for empty ones', () => {
    expect(readTraceState('vendor=a b,tenant@other=1')).toBe('vendor=a b,tenant@other=1')
    expect(readTraceState(' vendor=1 ,\t,other=2,')).toBe('vendor=1,other=2')
  })

  it('is cut to 512 characters by whole members: large ones first, then the oldest', () => {
    const whole = Array.from({ length: 4 }, (_, n) => member(`m${n}`, 127)).join(',')
    expect(whole).toHaveLength(511)
    expect(readTraceState(whole)).toBe(whole)
    expect(readTraceState(`${member('large', 129)},${whole}`)).toBe(whole)
    expect(readTraceState(`${member('new', 100)},${whole}`)).toBe(
      [member('new', 100), ...whole.split(',').slice(0, 3)].join(','),
    )
    expect(readTraceState(Array.from({ length: 4 }, (_, n) => member(`l${n}`, 200)).join(','))).toBeUndefined()
  })

  it.each([
    null,
    '',
    ' , ',
    'novalue',
    'Upper=1',
    'a=1,b',
    'a=ü',
    'a=b=c',
    'a=line\nbreak',
    `${'k'.repeat(257)}=1`,
    `a=${'v'.repeat(257)}`,
    Array.from({ length: 33 }, (_, n) => `k${n}=1`).join(','),
    Array.from({ length: 32 }, (_, n) => member(`k${n}`, 257)).join(','),
  ])('that is none is passed on to nobody: %j', (header) => {
    expect(readTraceState(header)).toBeUndefined()
  })
})
