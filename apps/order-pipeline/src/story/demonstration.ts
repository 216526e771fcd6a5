// The pipeline with its story: started, told, served, stopped.
import { OrderPipeline } from '../pipeline.js'
import { port } from '../settings.js'
import { live, type Story } from './live.js'
import type { Narrator } from './narrator.js'

export interface DemonstrationOptions {
  readonly directory: string
  readonly databaseUrl: string | undefined
  readonly narrator: Narrator
}

export class Demonstration {
  readonly #pipeline: OrderPipeline
  readonly #narrator: Narrator

  constructor({ directory, databaseUrl, narrator }: DemonstrationOptions) {
    this.#narrator = narrator
    this.#pipeline = new OrderPipeline({
      directory,
      databaseUrl,
      port,
      done: (text) => narrator.done(text),
      progress: (text) => narrator.progress(text),
    })
  }

  /** Resolves at the end of the story. With `serve` the pipeline goes on until `stop`. Rejects when stopped before. */
  async run(serve: boolean): Promise<Story> {
    this.#narrator.opening()
    const { spine, url, key } = await this.#pipeline.start()
    const story = await live(spine, { url, key }, this.#narrator)
    this.#narrator.finished(story)
    if (serve) this.#narrator.serving(story, { url, key })
    else await this.stop()
    return story
  }

  /** Safe to call twice, before `run` and during it. */
  stop(): Promise<void> {
    return this.#pipeline.stop()
  }
}
