// The application as one value: what happens, and who reacts to it. Everything that runs it, a process, a test or
// ten workers, is given this.
import { defineApp } from 'eventspine'
import {
  invoiceAccepted,
  invoiceReceived,
  invoiceValidated,
  orderAnnounced,
  orderCancelled,
  orderProcessed,
  processingRequested,
} from './events.js'
import { announce } from './functions/events.js'
import { idempotency } from './functions/idempotency.js'
import { processInvoice } from './functions/process.js'
import { publish } from './functions/publish.js'
import { validate } from './functions/validate.js'
import { failuresOn } from './settings.js'
import { Failures } from './story/failures.js'

export { prepare } from './prepare.js'

/** What goes wrong on purpose. Your own application has no such line. */
export const failures = new Failures(failuresOn)

export const app = defineApp({
  name: 'orders',
  events: [
    invoiceReceived,
    invoiceValidated,
    invoiceAccepted,
    processingRequested,
    orderProcessed,
    orderCancelled,
    orderAnnounced,
  ],
  subscriptions: [validate, publish, idempotency, processInvoice, announce].map((each) =>
    failures.inFrontOf(each),
  ),
})
