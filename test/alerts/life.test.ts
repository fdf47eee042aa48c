import fc from 'fast-check'
import {
  acknowledged,
  HISTORY_MAX,
  mitigated,
  raised,
  resolved,
  type Alert,
  type AlertStep,
  type RaisedAlert,
} from '../../src/alerts/alert'
import { isWorse, severities, type Severity } from '../../src/alerts/severity'

const raise = (severity: Severity = 'warning'): RaisedAlert => ({
  id: 'recovery-lag',
  kind: 'recovery-lag',
  severity,
  tenantId: undefined,
  title: 'a title',
  detail: 'a detail',
})
const by = { by: 'an operator' }
const first = () => raised(undefined, raise(), 1_000).alert
const alertOf = (step: AlertStep | undefined): Alert => {
  if (!step) throw new Error('nothing changed')
  return step.alert
}

describe('an alert', () => {
  it('is open when it is first seen, and says so once', () => {
    const step = raised(undefined, raise(), 1_000)
    expect(step).toMatchObject({ event: 'opened', alert: { state: 'open', episode: 1, raisedAt: 1_000, timesSeen: 1 } })
    const again = raised(step.alert, raise(), 2_000)
    expect(again.event).toBeUndefined()
    expect(again.alert).toMatchObject({ state: 'open', raisedAt: 1_000, lastSeenAt: 2_000, timesSeen: 2 })
  })

  it('stays acknowledged or mitigated when it is only seen again', () => {
    const looked = alertOf(acknowledged(first(), by, 2_000))
    expect(raised(looked, raise(), 3_000)).toMatchObject({ alert: { state: 'acknowledged' } })
    const held = alertOf(mitigated(looked, by, 3_000))
    const again = raised(held, raise(), 4_000)
    expect(again).toMatchObject({ alert: { state: 'mitigated', timesSeen: 2 } })
    expect(again.event).toBeUndefined()
  })

  it('that is mitigated otherwise keeps what was said, and tells nobody', () => {
    const held = alertOf(mitigated(first(), { by: 'platform', note: 'lower weight' }, 2_000))
    expect(mitigated(held, { by: 'platform', note: 'lower weight' }, 3_000)).toBeUndefined()
    const other = mitigated(held, { by: 'platform', note: 'throttled' }, 3_000)
    expect(other).toMatchObject({ alert: { state: 'mitigated' } })
    expect(other?.event).toBeUndefined()
    expect(other?.alert.history.map(({ note }) => note)).toEqual([undefined, 'lower weight', 'throttled'])
  })

  it('is open again when it gets worse than what somebody acknowledged', () => {
    const looked = alertOf(acknowledged(first(), by, 2_000))
    const worse = raised(looked, raise('critical'), 3_000)
    expect(worse).toMatchObject({ event: 'worsened', alert: { state: 'open', severity: 'critical', episode: 1 } })
    // What goes down and up again wakes nobody a second time.
    const better = raised(worse.alert, raise('notice'), 4_000).alert
    expect(better.severity).toBe('critical')
    expect(raised(better, raise('critical'), 5_000).event).toBeUndefined()
  })

  it('raised after it was resolved is another episode, with its history before', () => {
    const over = alertOf(resolved(first(), { by: 'somebody', note: 'mended' }, 2_000))
    const again = raised(over, raise('notice'), 9_000)
    expect(again).toMatchObject({
      event: 'opened',
      alert: { episode: 2, raisedAt: 9_000, timesSeen: 1, severity: 'notice' },
    })
    expect(again.alert.history).toEqual([
      { at: 1_000, to: 'open', episode: 1, by: 'platform' },
      { at: 2_000, to: 'resolved', episode: 1, by: 'somebody', note: 'mended' },
      { at: 9_000, to: 'open', episode: 2, by: 'platform' },
    ])
  })

  it('that says more than fits is kept all the same, within its bounds', () => {
    const { alert } = raised(
      undefined,
      { ...raise(), title: 't'.repeat(10_000), detail: '\u{1f600}'.repeat(10_000), evidence: ['e'.repeat(100_000)] },
      0,
    )
    expect([alert.title.length, alert.detail.length, alert.evidence]).toEqual([300, 4_000, { leftOut: true }])
    expect(alert.detail.isWellFormed()).toBe(true)
    expect(raised(undefined, { ...raise(), evidence: { figure: 1 } }, 0).alert.evidence).toEqual({ figure: 1 })
  })

  it('that is not there, or over, is neither acknowledged nor mitigated nor resolved', () => {
    const over = alertOf(resolved(first(), by, 2_000))
    for (const known of [undefined, over])
      for (const change of [acknowledged, mitigated, resolved]) expect(change(known, by, 3_000)).toBeUndefined()
  })

  it('whatever happens to it: episodes and sightings only grow, severity within an episode too, and history is bounded', () => {
    const act = fc.constantFrom('raise', 'acknowledge', 'mitigate', 'resolve')
    fc.assert(
      fc.property(fc.array(fc.tuple(act, fc.constantFrom(...severities)), { maxLength: 80 }), (acts) => {
        let alert: Alert | undefined
        let nowMs = 0
        for (const [what, severity] of acts) {
          nowMs += 1
          const before = alert
          const step =
            what === 'raise'
              ? raised(before, raise(severity), nowMs)
              : what === 'acknowledge'
                ? acknowledged(before, by, nowMs)
                : what === 'mitigate'
                  ? mitigated(before, by, nowMs)
                  : resolved(before, by, nowMs)
          alert = step?.alert ?? before
          if (!alert || !before) continue
          expect(alert.episode).toBe(
            before.state === 'resolved' && what === 'raise' ? before.episode + 1 : before.episode,
          )
          if (alert.episode === before.episode) expect(isWorse(before.severity, alert.severity)).toBe(false)
          expect(alert.history.length).toBeLessThanOrEqual(HISTORY_MAX)
          expect(alert.history.at(-1)?.to).toBe(alert.state)
          // Others are told of a change of its state, and of nothing else.
          if (step?.event) expect(alert.history.at(-1)?.at).toBe(nowMs)
        }
      }),
    )
  })
})
