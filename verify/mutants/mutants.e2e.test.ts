// Every planted bug is caught by the test that the table of invariants names, which has passed without it just before. In a
// process of its own: it runs Vitest.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const program = fileURLToPath(new URL('./run.ts', import.meta.url))
const outputCharsMax = 20_000

it('catches every planted bug', { timeout: 600_000 }, async () => {
  const { code, said } = await run()
  expect(code, said).toBe(0)
  const line = JSON.parse(said.trim().split('\n').at(-1) ?? '')
  console.log(JSON.stringify(line))
  expect(line).toMatchObject({ check: 'mutants', violations: 0 })
  expect(line.runs).toBeGreaterThan(25)
})

function run(): Promise<{ code: number | null; said: string }> {
  // What Vitest sets for its workers would make the other one believe to be in one.
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_OPTIONS|TEST$|MODE$)/.test(name)),
  )
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--conditions=source', program, '--json', '--tests-passed'],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: environment,
    },
  )
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data) => {
      said = (said + data).slice(-outputCharsMax)
    })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, said }))
  })
}
