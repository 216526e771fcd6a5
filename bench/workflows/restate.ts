// Restate as its documentation writes it (docs.restate.dev/develop/ts and guides/sagas): a service served over HTTP/2, called
// through the ingress under an idempotency key, steps by `ctx.run`.
import { createServer } from 'node:http2'
import * as restate from '@restatedev/restate-sdk'
import * as clients from '@restatedev/restate-sdk-clients'
import { expectAnswer, Undone, type WorkflowSystem } from './system.js'

function serviceOf(undone: Undone) {
  return restate.service({
    name: 'bench',
    handlers: {
      steps: async (ctx: restate.Context, n: number) => {
        const one = await ctx.run('one', () => n + 1)
        const two = await ctx.run('two', () => one + 2)
        return await ctx.run('three', () => two + 3)
      },
      saga: async (ctx: restate.Context, n: number) => {
        const undo: (() => Promise<void>)[] = []
        try {
          undo.unshift(async () => void (await ctx.run('undo one', () => undone.undo())))
          const one = await ctx.run('one', () => n + 1)
          undo.unshift(async () => void (await ctx.run('undo two', () => undone.undo())))
          const two = await ctx.run('two', () => one + 2)
          return await ctx.run('three', () => {
            throw new restate.TerminalError(`${two} is refused`)
          })
        } catch (error) {
          if (!(error instanceof restate.TerminalError)) throw error
          for (const each of undo) await each()
          return 'compensated'
        }
      },
    },
  })
}

export const restateSystem: WorkflowSystem = {
  async open({ restate: place }) {
    if (place === null) throw new Error('Restate’s server is not there')
    const undone = new Undone()
    const service = serviceOf(undone)
    const server = createServer(restate.createEndpointHandler({ services: [service], logger: () => {} }))
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await register(place.admin, `http://127.0.0.1:${port}`)
    const client = clients.connect({ url: place.ingress }).serviceClient<typeof service>({ name: 'bench' })
    let ended = 0
    return {
      async run(kind, n) {
        const options = clients.rpc.opts({ idempotencyKey: `${kind}-${n}` })
        if (kind === 'steps') return expectAnswer(n, await client.steps(n, options as never))
        if ((await client.saga(n, options as never)) !== 'compensated')
          throw new Error(`Saga ${n} was not compensated`)
        ended++
      },
      async stop() {
        undone.expect(ended)
        server.close()
      },
    }
  },
}

async function register(admin: string, uri: string): Promise<void> {
  const response = await fetch(`${admin}/deployments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ uri }),
  })
  if (!response.ok) throw new Error(`Restate refused the service: ${await response.text()}`)
}
