// Requests that a client sends in a row without waiting for answers. Node hands all of them on as they are read: 90
// connections that sent without end held up the event loop until the watch killed the process. Here so many of a
// connection run at once, further ones wait for their turn, and nothing is read on while too many do.
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** Requests of one connection that run at once: as many as one append to the log takes in its stride. */
const runningMax = 16
/** Received on one connection and not answered, above which it is not read on. More than `runningMax`: the newest may
 *  still be arriving, and is not what the others wait for. */
const openMax = 32

/** Begun in one turn of the event loop, of all connections: answers of the database and timers have their turn between. */
const begunInTurnMax = 50

interface Pipeline {
  readonly running: Set<ServerResponse>
  readonly waiting: (() => void)[]
}

/** Puts itself before the server's one handler of requests. */
export function limitPipelines(server: Server): void {
  const [handler, ...others] = server.listeners('request') as Handler[]
  if (handler === undefined || others.length > 0) throw new Error('The server needs one handler of requests.')
  const pipelines = new WeakMap<Socket, Pipeline>()
  const turns = new Turns()
  server.off('request', handler)
  server.on('connection', (socket: Socket) => pipelines.set(socket, pipelineOf(socket)))
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request
    const pipeline = pipelines.get(socket)
    if (pipeline === undefined) return handler(request, response)
    const start = () => {
      pipeline.running.add(response)
      response.once('close', () => ended(socket, pipeline, response))
      // Nobody would get the answer.
      turns.begin(() => socket.destroyed || handler(request, response))
    }
    if (pipeline.running.size < runningMax) start()
    else pipeline.waiting.push(start)
    if (openOf(pipeline) >= openMax) socket.pause()
  })
}

function pipelineOf(socket: Socket): Pipeline {
  const pipeline = { running: new Set<ServerResponse>(), waiting: [] as (() => void)[] }
  socket.once('close', () => {
    pipeline.waiting.length = 0
    // Node tells the first of them only, and the others would count as open for ever.
    for (const response of pipeline.running) response.emit('close')
  })
  return pipeline
}

class Turns {
  #left = begunInTurnMax
  #waiting: (() => void)[] = []
  #scheduled = false

  begin(action: () => void): void {
    this.#schedule()
    if (this.#left-- > 0) action()
    else this.#waiting.push(action)
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#next())
  }

  #next(): void {
    this.#scheduled = false
    const now = this.#waiting.splice(0, begunInTurnMax)
    this.#left = begunInTurnMax - now.length
    if (this.#waiting.length > 0) this.#schedule()
    for (const action of now) action()
  }
}

const openOf = ({ running, waiting }: Pipeline) => running.size + waiting.length

function ended(socket: Socket, pipeline: Pipeline, response: ServerResponse): void {
  pipeline.running.delete(response)
  pipeline.waiting.shift()?.()
  if (openOf(pipeline) < openMax && socket.isPaused()) socket.resume()
}
