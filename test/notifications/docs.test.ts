import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { newSecret, rotated, signedHeaders } from '../../src/notifications/webhook-signature'
import { systemChance } from '../../src/base/chance'

/** The code of docs/notifications.md, as a receiver would copy it, in a process of its own. */
function verdicts(trials: readonly object[]): readonly boolean[] {
  const [, code = ''] = /```js\n([^]*?)```/.exec(readFileSync('docs/notifications.md', 'utf8')) ?? []
  const run = `${code}
    const trials = ${JSON.stringify(trials)}
    process.stdout.write(JSON.stringify(trials.map(({ headers, body, secret, now }) => isOurs(headers, body, secret, now))))`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', run], { encoding: 'utf8' })
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout) as boolean[]
}

it('a receiver that verifies as docs/notifications.md says takes what is ours and nothing else', () => {
  const chance = systemChance()
  const nowMs = Date.UTC(2026, 0, 1)
  const now = nowMs / 1_000
  const [old, secret] = [newSecret(chance), newSecret(chance)]
  const body = '{"type":"report"}'
  const headers = signedHeaders({ id: 'dlv_1', body, secrets: rotated([{ secret: old }], secret, nowMs) }, nowMs)
  const sound = { headers, body, secret, now }
  expect(
    verdicts([
      sound,
      { ...sound, secret: old },
      { ...sound, now: now + 300 },
      { ...sound, now: now + 301 },
      { ...sound, body: '{}' },
      { ...sound, secret: newSecret(chance) },
      { ...sound, headers: { ...headers, 'webhook-id': 'dlv_2' } },
      { ...sound, headers: { ...headers, 'webhook-timestamp': 'soon' } },
      { ...sound, headers: {} },
    ]),
  ).toEqual([true, true, true, false, false, false, false, false, false])
})
