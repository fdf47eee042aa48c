import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from './eventually'
import { runsOf } from './runs-of'
import { freePort } from '../harness/free-port'
import { freshNames, type RunningHost, startHost } from './start-host'

const INSTANCES = 5
const KILLS = 8
const ROUND_MS_MAX = 300_000
/**
 * Between an activity's last statement and the storing of its result lies a window that cannot be closed (on Azure
 * neither). On a busy machine it is a few storage calls of 100 ms each.
 */
const STORING_MS_MAX = 600

const env = freshNames()
const run = env['RUN'] ?? ''
let host: RunningHost | undefined
afterAll(() => host?.stop())

interface Note {
  readonly name: string
  readonly phase: 'begin' | 'end'
  readonly atMs: number
}

it(
  'a host that is killed again and again repeats no finished activity, and every orchestration ends right',
  async () => {
    const port = await freePort()
    const restart = async () => {
      host = await startHost({ env, port, localOptions: ['--log-level', 'warning'] })
      return host
    }
    const { baseUrl } = await restart()
    const names = Array.from({ length: INSTANCES }, (_, i) => `n${i}`)
    const statusUrls = await Promise.all(names.map((name) => startEverything(baseUrl, name)))

    let cutOffCount = 0
    const killsMs: number[] = []
    for (let kill = 0; kill < KILLS; kill++) {
      // Uneven pauses, so that the kills hit different moments of a turn.
      await sleep(250 + ((kill * 137) % 500))
      await host?.kill()
      killsMs.push(Date.now())
      cutOffCount += cutOff(await runsOf<Note>(run, 'activity'))
      await restart()
      // An event that is raised twice is a second event; the orchestration takes the first and ignores the rest.
      if (kill === 3) await Promise.all(names.map((name) => raise(baseUrl, name)))
    }

    for (const [i, url] of statusUrls.entries()) {
      const output = await eventually(`${names[i]} is completed`, () => outputOf(url))
      expect(output).toEqual({ child: [`n${i}/child/one`, `n${i}/child/two`], sum: 7, event: 'go' })
    }
    const notes = await runsOf<Note>(run, 'activity')
    const ends = notes.filter(({ phase }) => phase === 'end')
    const ended = countByName(ends)
    expect(ended.size).toBe(INSTANCES * 10)
    const repeated = [...ended].filter(([, count]) => count > 1).map(([name]) => name)
    for (const name of repeated) {
      const firstEndMs = Math.min(...ends.filter((note) => note.name === name).map(({ atMs }) => atMs))
      const killedMs = killsMs.find((killMs) => killMs > firstEndMs) ?? Infinity
      expect({ name, unstoredMs: killedMs - firstEndMs < STORING_MS_MAX }).toEqual({ name, unstoredMs: true })
    }
    expect(notes.length - ends.length - ended.size).toBeLessThanOrEqual(cutOffCount + repeated.length)
  },
  ROUND_MS_MAX,
)

async function startEverything(baseUrl: string, name: string): Promise<string> {
  const answer = await fetch(`${baseUrl}/api/start/everything/${name}`, {
    method: 'POST',
    body: JSON.stringify({ name }),
  })
  return ((await answer.json()) as { statusQueryGetUri: string }).statusQueryGetUri
}

function raise(baseUrl: string, name: string): Promise<Response> {
  return fetch(`${baseUrl}/api/raise/${name}/go`, { method: 'POST', body: '"go"' })
}

async function outputOf(url: string): Promise<unknown> {
  const { runtimeStatus, output } = (await (await fetch(url)).json()) as { runtimeStatus: string; output: unknown }
  if (runtimeStatus !== 'Completed' && runtimeStatus !== 'Running')
    throw new Error(`${runtimeStatus}: ${String(output)}`)
  return runtimeStatus === 'Completed' ? output : undefined
}

/** Activities that had begun and not ended when the host was killed: those, and only those, may run again. */
function cutOff(notes: readonly Note[]): number {
  const ended = countByName(notes.filter(({ phase }) => phase === 'end'))
  return [...countByName(notes.filter(({ phase }) => phase === 'begin'))].filter(([name]) => !ended.has(name)).length
}

function countByName(notes: readonly Note[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { name } of notes) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}
