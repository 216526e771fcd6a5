// The systems by name. Each is loaded only in the process that runs it.
import type { System, SystemName } from './system.js'

export async function systemOf(name: SystemName): Promise<System> {
  switch (name) {
    case 'eventspine':
      return (await import('./eventspine.js')).eventspine
    case 'graphile-worker':
      return (await import('./graphile-worker.js')).graphileWorker
    case 'pg-boss':
      return (await import('./pg-boss.js')).pgBoss
    case 'bullmq':
      return (await import('./bullmq.js')).bullmq
    case 'raw':
      return (await import('./raw.js')).raw
  }
}
