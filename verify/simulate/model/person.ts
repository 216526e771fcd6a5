// The person of a sequence: redrives, replays, breakers, and a look at all that the console shows.
import type { Store } from '../engine.js'
import { type Choices, longMs, tenants } from './choices.js'

export class ModelPerson {
  readonly #store: Store
  #redrives = 0
  #replays = 0

  constructor(store: Store) {
    this.#store = store
  }

  async redrive(choose: Choices): Promise<unknown> {
    const { state, selected } = await this.#store.createRedrive(uuid(++this.#redrives), {
      ...{ filter: { subscription: choose.subscription() }, rate: 1_000_000, canary: choose.between(0, 1) },
      ...{ stopAtErrorRate: 1, roundsMax: 3, editedData: null, actor: 'model' },
    })
    return { state, selected }
  }

  async stopRedrive(choose: Choices): Promise<unknown> {
    if (this.#redrives === 0) return 'none'
    const { state, selected } = await this.#store.stopRedrive(
      uuid(choose.between(1, this.#redrives)),
      'model',
      'enough',
    )
    return { state, selected }
  }

  async replay(choose: Choices): Promise<unknown> {
    const replay = await this.#store.createReplay(uuid(++this.#replays), {
      subscription: choose.subscription(),
      actor: 'model',
    })
    return replay.state
  }

  async stopReplay(choose: Choices): Promise<unknown> {
    if (this.#replays === 0) return 'none'
    const { state, matched, completed, retrying, dead } = await this.#store.stopReplay(
      uuid(choose.between(1, this.#replays)),
      'model',
    )
    return { state, matched, completed, retrying, dead }
  }

  breaker(choose: Choices) {
    return { name: 'downstream', tenant: choose.pick(tenants) ?? '', key: choose.pick(['', 'k1']) ?? '' }
  }

  async breakerFailed(choose: Choices): Promise<unknown> {
    await this.#store.breakerFailed({
      ...this.breaker(choose),
      ...{ count: choose.between(1, 2), failuresMax: 3, windowMs: longMs },
      ...{ cooldownMs: choose.pick([0, longMs]) ?? 0, error: 'down' },
    })
    return (await this.#store.breakers())
      .map(({ name, tenant, key, state, failures }) => [name, tenant, key, state, failures])
      .sort()
  }

  async look(): Promise<unknown> {
    const store = this.#store
    const views = await store.subscriptions()
    const letters = await store.deadLetters({ limit: 500 })
    const redrives = await store.redrives({ limit: 100 })
    return {
      subscriptions: views
        .map(
          ({
            name,
            state,
            matched,
            completed,
            retrying,
            dead,
            replayDead,
            discarded,
            skipped,
            haltedKeys,
          }) => [name, state, matched, completed, retrying, dead, replayDead, discarded, skipped, haltedKeys],
        )
        .sort(),
      letters: letters.items
        .map(({ subscription, event, state, attempts, round, halts }) => [
          subscription,
          event.id,
          event.key,
          state,
          attempts,
          round,
          halts,
        ])
        .sort(),
      redrives: redrives.items
        .map(({ id, state, selected, sent, succeeded, failed }) => [
          id,
          state,
          selected,
          sent,
          succeeded,
          failed,
        ])
        .sort(),
      paused: (await store.subscriptions())
        .flatMap(({ name, state }) => (state === 'paused' ? [name] : []))
        .sort(),
      breakers: (await store.breakers())
        .map(({ name, tenant, key, state, failures }) => [name, tenant, key, state, failures])
        .sort(),
    }
  }
}

const uuid = (number: number) => `01900000-0000-7000-8000-${String(number).padStart(12, '0')}`
