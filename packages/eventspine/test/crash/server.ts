// A PostgreSQL server of one test's own, that may be killed; gone after the test.

import { afterTest } from '../support.js'
import { OwnServer as Server } from './system/server.js'

export class OwnServer extends Server {
  constructor() {
    super()
    afterTest(() => this.remove())
  }
}
