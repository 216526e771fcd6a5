// The sources of an app, checked as a whole.
import type { CustomSource, FileSource, Source, WebhookSource } from '../source/index.js'

const inFlightMost = 10_000

export function checkSources(sources: readonly Source[], faults: string[]): void {
  const seen = new Set<string>()
  for (const source of sources) {
    const { name, to } = source
    const fault = (message: string) => void faults.push(`source "${name}": ${message}`)
    if (!/^[a-z0-9][a-z0-9-]{0,79}$/.test(String(name)))
      fault('a name is lower-case letters, digits and dashes, at most 80, such as "stripe"')
    if (source.transport === 'http') checkWebhook(source, fault)
    else if (source.transport === 'file') checkFile(source, fault)
    else checkCustom(source, fault)
    if (typeof to !== 'function')
      fault('to must be a function; write to: (message) => ({ event: paid, data: message.json() })')
    if (seen.has(name)) fault('is defined twice; its name is its address, so give each its own')
    seen.add(name)
  }
}

function checkWebhook({ verify, inFlightMax }: WebhookSource, fault: (message: string) => void): void {
  if (typeof verify !== 'function')
    fault('verify must say who sent a message; write verify: standardWebhooks({ secrets: [ … ] })')
  checkInFlight(inFlightMax, fault)
}

function checkCustom({ run, where, inFlightMax }: CustomSource, fault: (message: string) => void): void {
  if (typeof run !== 'function')
    fault('run must bring its messages in; write run: async ({ receive, signal }) => { … }')
  if (where !== 'every-worker' && where !== 'one-worker')
    fault(`where is ${JSON.stringify(where)}; write "every-worker" or "one-worker"`)
  checkInFlight(inFlightMax, fault)
}

function checkInFlight(inFlightMax: number, fault: (message: string) => void): void {
  if (!(Number.isInteger(inFlightMax) && inFlightMax >= 1 && inFlightMax <= inFlightMost))
    fault(
      `inFlightMax is ${inFlightMax}; write a whole number from 1 to ${inFlightMost.toLocaleString('en')}`,
    )
}

function checkFile({ format, delimiter }: FileSource, fault: (message: string) => void): void {
  if (format !== 'csv' && format !== 'ndjson')
    fault(`format is ${JSON.stringify(format)}; write "csv" or "ndjson"`)
  if (!/^[\x20-\x7e\t]$/.test(delimiter) || delimiter === '"')
    fault(`delimiter is ${JSON.stringify(delimiter)}; write one character that is no quote, such as ";"`)
}
