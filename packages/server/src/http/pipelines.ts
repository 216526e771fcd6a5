// Requests that a client sends in a row without waiting for answers. Node hands all of them on as they are read: 64
// connections that sent without end held up the event loop for over twenty seconds, and with it every alarm. Here so
// many of a connection run at once, further ones wait for their turn, and nothing is read on while too many do.
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
  running: number
  readonly waiting: (() => void)[]
}

/** Puts itself before the server's one handler of requests. */
export function limitPipelines(server: Server): void {
  const [handler, ...others] = server.listeners('request') as Handler[]
  if (handler === undefined || others.length > 0) throw new Error('The server needs one handler of requests.')
  const pipelines = new WeakMap<Socket, Pipeline>()
  const turns = new Turns()
  server.off('request', handler)
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request
    const pipeline = pipelines.get(socket) ?? { running: 0, waiting: [] }
    pipelines.set(socket, pipeline)
    const start = () => {
      pipeline.running++
      response.once('close', () => ended(socket, pipeline))
      turns.begin(() => handler(request, response))
    }
    if (pipeline.running < runningMax) start()
    else pipeline.waiting.push(start)
    if (openOf(pipeline) >= openMax) socket.pause()
  })
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

const openOf = ({ running, waiting }: Pipeline) => running + waiting.length

function ended(socket: Socket, pipeline: Pipeline): void {
  pipeline.running--
  // Nobody would get their answers.
  if (socket.destroyed) pipeline.waiting.length = 0
  pipeline.waiting.shift()?.()
  if (openOf(pipeline) < openMax && socket.isPaused()) socket.resume()
}
