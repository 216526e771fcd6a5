// What tests of workflows have happen beside what the testing kit offers.
import type { Happening } from 'eventspine/testing'

type Spine = Parameters<Happening['happen']>[0]

/** Whatever a person does. */
export const doing = (action: (spine: Spine) => Promise<unknown>): Happening => ({
  happen: async (spine) => {
    await action(spine)
    return []
  },
})
