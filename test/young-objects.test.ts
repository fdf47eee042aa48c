import { execFileSync } from 'node:child_process'

it('V8 knows the flag by which calls stay young; of an unknown one it only prints a line', () => {
  const said = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' })
  expect(said).toContain('--allocation-site-pretenuring')
})
