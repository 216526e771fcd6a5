// A state as a word with a colour. The word alone says it too.

export type Tone = 'good' | 'warn' | 'bad' | 'busy' | 'plain'

const tones: Readonly<Record<string, Tone>> = {
  ...{ active: 'good', completed: 'good', done: 'good', closed: 'good', healthy: 'good', enabled: 'good' },
  ...{ paused: 'warn', retry: 'warn', waiting: 'warn', 'half-open': 'warn', warning: 'warn' },
  ...{ compensating: 'warn', compensated: 'warn', stopped: 'warn', failing: 'warn', cancelled: 'warn' },
  ...{ dead: 'bad', failed: 'bad', open: 'bad', error: 'bad', critical: 'bad', disabled: 'bad' },
  ...{ terminated: 'bad', 'needs attention': 'bad', 'awaiting approval': 'warn' },
  ...{ running: 'busy', redriving: 'busy', canary: 'busy', pending: 'busy' },
}

export function Badge({ state, tone }: { readonly state: string; readonly tone?: Tone }) {
  return <span className={`badge badge-${tone ?? tones[state] ?? 'plain'}`}>{state}</span>
}
