import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import { KEY, user } from './running'

const { outputFiles } = buildSync({
  entryPoints: ['local/simulator/main.ts'],
  bundle: true,
  platform: 'node',
  packages: 'external',
  format: 'cjs',
  write: false,
})

/** The bundle in a process of its own, fed through standard input so that packages resolve from the project. */
function run(...args: string[]) {
  const child = spawn(process.execPath, ['-', ...args], { stdio: 'pipe' })
  child.stdin.end(outputFiles[0]?.text)
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => (text += bytes.toString()))
  }
  return {
    child,
    ended: once(child, 'close').then(([code]) => ({ code: code as number | null, text })),
    text: () => text,
  }
}

async function configFile(content: string): Promise<string> {
  const file = join(await mkdtemp(join(tmpdir(), 'simulator-')), 'config.json')
  await writeFile(file, content)
  return file
}

describe('the command', () => {
  it('explains itself', async () => {
    const { code, text } = await run('--help').ended
    expect(code).toBe(0)
    expect(text).toContain('--port N')
  })

  it.each([
    ['a port that is none', ['--port', 'x'], '--port'],
    ['a file that is not there', ['--config', '/nowhere.json'], '--config'],
    ['an unknown option', ['--colour', 'red'], '--colour'],
  ])('refuses to start with %s and names it', async (_name, args, named) => {
    const { code, text } = await run(...args).ended
    expect(code).toBe(1)
    expect(text).toContain(named)
  })

  it('names the field of its file that is wrong', async () => {
    const file = await configFile('{"deployments":{"a":{"model":5}}}')
    const { code, text } = await run('--config', file).ended
    expect(code).toBe(1)
    expect(text).toContain('deployments.a.model: ')
  })

  it('serves what its file says and ends in good order on SIGTERM', async () => {
    const file = await configFile('{"deployments":{"mine":{"model":"gpt-4.1-2025-04-14"}}}')
    const running = run('--port', '0', '--config', file, '--seed', '5')
    let url: string | undefined
    while (url === undefined) {
      await once(running.child.stdout, 'data')
      url = /http:\S+/.exec(running.text())?.[0]
    }
    const answer = await fetch(`${url}/openai/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}` },
      body: JSON.stringify({ model: 'mine', ...user('hi') }),
    })
    running.child.kill('SIGTERM')

    expect(answer.status).toBe(200)
    expect((await running.ended).code).toBe(0)
  })
})
