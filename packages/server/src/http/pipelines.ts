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
  newest: IncomingMessage | undefined
  /** By `performance.now`, when it was last read on after a pause. */
  readOnAt: number
  /** Called when it is read on after a request on it had no time left. */
  readOn: (() => void) | undefined
}

export class Pipelines {
  readonly #pipelines = new WeakMap<Socket, Pipeline>()
  readonly #turns = new Turns()
  readonly #requestMsMax: number

  constructor({ requestMsMax }: { readonly requestMsMax: number }) {
    this.#requestMsMax = requestMsMax
  }

  /** Puts itself before the server's one handler of requests. */
  limit(server: Server): void {
    const [handler, ...others] = server.listeners('request') as Handler[]
    if (handler === undefined || others.length > 0)
      throw new Error('The server needs one handler of requests.')
    server.off('request', handler)
    server.on('connection', (socket: Socket) => this.#pipelines.set(socket, pipelineOf(socket)))
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const { socket } = request
      const pipeline = this.#pipelines.get(socket)
      if (pipeline === undefined) return handler(request, response)
      pipeline.newest = request
      const start = () => {
        pipeline.running.add(response)
        response.once('close', () => ended(socket, pipeline, response))
        // Nobody would get the answer.
        this.#turns.begin(() => socket.destroyed || handler(request, response))
      }
      if (pipeline.running.size < runningMax) start()
      else pipeline.waiting.push(start)
      if (openOf(pipeline) >= openMax) socket.pause()
    })
  }

  /** True when nothing was read there for a part of its time: a request that took too long to arrive could not. It has its
   *  time anew once reading goes on, and `refuse` is called if that is not enough. */
  excuses(socket: Socket, refuse: () => void): boolean {
    const pipeline = this.#pipelines.get(socket)
    if (pipeline === undefined) return false
    const isRead = openOf(pipeline) < openMax
    if (isRead && performance.now() - pipeline.readOnAt > this.#requestMsMax) return false
    const { newest } = pipeline
    // Either its body has begun, or its head.
    const arrived = newest?.complete === false ? () => newest.complete : () => pipeline.newest !== newest
    const judge = () => {
      if (!socket.destroyed && !arrived() && !this.excuses(socket, refuse)) refuse()
    }
    const later = () => setTimeout(judge, this.#requestMsMax).unref()
    if (isRead) later()
    else pipeline.readOn = later
    return true
  }
}

function pipelineOf(socket: Socket): Pipeline {
  const pipeline: Pipeline = {
    ...{ running: new Set<ServerResponse>(), waiting: [], newest: undefined },
    ...{ readOnAt: -Infinity, readOn: undefined },
  }
  socket.once('close', () => {
    pipeline.waiting.length = 0
    // Node tells the first of them only, and the others would count as open for ever.
    for (const response of pipeline.running) response.emit('close')
  })
  // Node reads on after each request and each body. With that, ten times what the server takes came to 558,000 open
  // requests and 2.6 GiB, and to ten seconds without a turn for anybody else when their connections ended.
  const resume = socket.resume.bind(socket)
  socket.resume = () => (openOf(pipeline) < openMax ? resume() : socket)
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
  if (openOf(pipeline) >= openMax || !socket.isPaused()) return
  socket.resume()
  pipeline.readOnAt = performance.now()
  pipeline.readOn?.()
  pipeline.readOn = undefined
}
