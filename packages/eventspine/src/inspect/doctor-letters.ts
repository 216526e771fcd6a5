// What the doctor says of the dead letters of a subscription that wait for a person. Those of its replays are named apart: its
// ledger has none of them, and yet whoever lists its letters finds them.

import { counted, grouped } from './counted.js'

/** `3 dead letters wait for a person, and 2 of replays.` Of one kind at least there are some. */
export function lettersWait(live: number, ofReplays: number): string {
  if (live === 0) return `${counted(ofReplays, 'dead letter')} of replays ${wait(ofReplays)}.`
  const others = ofReplays === 0 ? '' : `, and ${grouped(ofReplays)} of replays`
  return `${counted(live, 'dead letter')} ${wait(live)}${others}.`
}

const wait = (letters: number) => `${letters === 1 ? 'waits' : 'wait'} for a person`
