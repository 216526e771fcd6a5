// Starting is the one thing that a process does not try again by itself: its supervisor does.
import { setTimeout as delay } from 'node:timers/promises'
import type { Eventspine } from 'eventspine'

const triesMax = 300

/** A started Eventspine, as soon as its database answers. */
export async function startWhenThere(create: () => Eventspine): Promise<Eventspine> {
  for (let tries = 1; ; tries++) {
    const spine = create()
    try {
      await spine.start()
      return spine
    } catch (error) {
      await spine.stop()
      if (tries === triesMax) throw error
      process.stdout.write(`start failed: ${error}\n`)
      await delay(100)
    }
  }
}
