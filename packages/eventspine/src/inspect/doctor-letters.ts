// What the doctor says of the dead letters of a subscription that wait for a person. Those of its replays are named apart: its
// ledger has none of them, and yet whoever lists its letters finds them.

/** `3 dead letters wait for a person, and 2 of replays.` Of one kind at least there are some. */
export function lettersWait(live: number, ofReplays: number): string {
  if (live === 0)
    return `${ofReplays} dead ${ofReplays === 1 ? 'letter' : 'letters'} of replays ${wait(ofReplays)}.`
  const others = ofReplays === 0 ? '' : `, and ${ofReplays} of replays`
  return `${live} dead ${live === 1 ? 'letter' : 'letters'} ${wait(live)}${others}.`
}

const wait = (letters: number) => `${letters === 1 ? 'waits' : 'wait'} for a person`
