// `tsx mqtt-devices-run.ts PORT DEVICES`: says `connected`, then, for each line with a number on its standard input, publishes so many
// messages and says `SECONDS MICROSECONDS`: how long that took, and its own processor time. Ends with its input.
import { createInterface } from 'node:readline'
import { Devices } from './mqtt-devices.js'

const [port = 0, count = 0] = process.argv.slice(2).map(Number)
const devices = await Devices.connect({ port, count })
process.stdout.write('connected\n')
for await (const line of createInterface({ input: process.stdin })) {
  const usedBefore = process.cpuUsage()
  const beganAtMs = performance.now()
  await devices.publish(Number(line))
  const { user, system } = process.cpuUsage(usedBefore)
  process.stdout.write(`${(performance.now() - beganAtMs) / 1_000} ${user + system}\n`)
}
devices.end()
