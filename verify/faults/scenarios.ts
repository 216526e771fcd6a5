// The faults, one by one. Each lasts some seconds and is over when `harm` is.

import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { happened } from '../crash/app.js'
import { until } from '../crash/engine.js'
import { fill, smallDisk } from './disk.js'
import type { Ground, Scenario } from './scenario.js'

const sessionsMax = 500
const clockPreload = new URL('./clock-preload.mjs', import.meta.url).href

/** All links in one state for `seconds`, then open. */
async function links({ links: all, wait }: Ground, state: Ground['publisher']['state'], seconds: number) {
  for (const link of all) link.state = state
  await wait(seconds)
  for (const link of all) link.heal()
}

const onTheWire: readonly Scenario[] = [
  {
    name: 'latency',
    what: 'every byte takes 20 to 40 ms, both ways',
    ...{ quick: true, goesOn: true },
    harm: async (ground) => {
      await links(ground, { kind: 'slow', ms: 20, jitterMs: 20 }, 8)
      return 'slow for a while'
    },
  },
  {
    name: 'blackhole',
    what: 'nothing passes for longer than the short leases; what waited arrives late',
    ...{ quick: true, goesOn: false },
    harm: async (ground) => {
      await links(ground, { kind: 'mute' }, 8)
      return 'mute, then all of it at once'
    },
  },
  {
    name: 'reset',
    what: 'all connections are reset, again and again',
    ...{ quick: true, goesOn: false },
    harm: async ({ links: all, wait }) => {
      for (let time = 0; time < 10; time++) {
        for (const link of all) link.reset()
        await wait(0.5)
      }
      return '10 times'
    },
  },
  {
    name: 'commit-cut',
    what: 'commits are done, and their replies are lost with the connection',
    ...{ quick: true, goesOn: false },
    harm: async ({ links: all, wait }) => {
      for (const link of all) link.cutCommits(5)
      await wait(6)
      for (const link of all) link.heal()
      const cuts = all.map((link) => link.cuts)
      if (cuts.includes(0)) throw new Error(`Not every link lost the reply to a commit: ${cuts.join(' ')}`)
      return `${cuts.join(' + ')} replies lost`
    },
  },
  {
    name: 'half-open',
    what: 'the server forgets all connections, and nobody is told',
    ...{ quick: false, goesOn: false },
    harm: async ({ links: all, wait }) => {
      for (const link of all) link.halfOpen()
      await wait(1)
      return 'new connections are taken'
    },
  },
]

const inTheDatabase: readonly Scenario[] = [
  {
    name: 'held-snapshot',
    what: 'a session holds a snapshot for 30 s',
    ...{ quick: false, goesOn: true },
    harm: async ({ stage, wait }) => {
      const session = await stage.server.session()
      await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
      await session.query('SELECT pg_current_xact_id(), count(*) FROM pg_class')
      await wait(30)
      await session.end()
      return 'held, then given up'
    },
  },
  {
    name: 'idle-publisher',
    what: 'a publisher leaves its transaction open for 10 s, then commits',
    ...{ quick: true, goesOn: true },
    harm: async ({ stage, wait }) => {
      const event = 'late-0'
      const journal = join(stage.server.directory, 'ledger', 'late.journal')
      const session = await stage.server.session()
      stage.journals.push(journal)
      appendFileSync(journal, `intent ${event} late\n`)
      await session.query('BEGIN')
      await stage.observer.publish(session, happened, { n: 0, event, key: 'late' }, { id: event })
      await wait(10)
      await session.query('COMMIT')
      appendFileSync(journal, `acked ${event} stored 0\n`)
      await session.end()
      return 'its event came late'
    },
  },
  {
    name: 'connections',
    what: 'no connection is to be had, and those that were there are gone',
    ...{ quick: true, goesOn: false },
    harm: exhaust,
  },
  {
    name: 'disk-full',
    what: 'the disk of the database is full',
    ...{ quick: true, goesOn: false, disk: smallDisk },
    harm: async ({ stage, wait }) => {
      const [row] = await stage.server.sql<{ data: string }>(
        `SELECT current_setting('data_directory') AS data`,
      )
      const give = fill(join(row?.data ?? '', '..'))
      await wait(8)
      give()
      return 'filled, then given back'
    },
  },
]

const onTheClock: readonly Scenario[] = [
  {
    name: 'clock',
    what: 'the wall clock of the processes jumps an hour ahead, then two back',
    ...{ quick: true, goesOn: true },
    environment: { NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import ${clockPreload}`.trim() },
    harm: async ({ stage, wait }) => {
      const programs = [...stage.crew.members.map(({ program }) => program), ...stage.publishers]
      for (let jump = 0; jump < 3; jump++) {
        for (const program of programs) program.signal('SIGUSR2')
        await wait(4)
      }
      return 'ahead, back, home'
    },
  },
]

export const scenarios: readonly Scenario[] = [...onTheWire, ...inTheDatabase, ...onTheClock]

async function exhaust({ stage, wait }: Ground): Promise<string> {
  const held: pg.Client[] = [await stage.server.session()]
  let over = false
  const taking = (async () => {
    while (!over) {
      // Whoever loses a connection asks for another at once: the places are taken from under it.
      await held[0]?.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE application_name LIKE 'eventspine%' AND pid <> pg_backend_pid()`,
      )
      try {
        while (held.length < sessionsMax) held.push(await stage.server.session())
      } catch {
        // No place is left.
      }
      await delay(20)
    }
  })()
  await wait(6)
  over = true
  await taking
  const taken = held.length
  await Promise.all(held.map((session) => session.end()))
  await until(
    'connections are given back',
    10_000,
    async () => (await stage.server.sql('SELECT 1')).length === 1,
  )
  return `${taken} of them held by another`
}
