// `eventspine events show`: one event, what each subscription made of it, and the tree of what led to what.
import type { CausalNode, DeliveryView, EventDetails, EventView } from 'eventspine'
import { type Call, operand } from '../command.js'
import { notFound } from '../project/lookup.js'
import type { Session } from '../project/session.js'
import { list, table } from '../screen/table.js'
import { bold, cyan, dim, green, red, type Text, yellow } from '../screen/text.js'
import { duration, moment } from '../screen/time.js'
import { type Branch, tree } from '../screen/tree.js'
import { visibleJson } from '../screen/visible.js'

const dataLinesMax = 60

/** The operation of the command. */
export async function showEvent(
  { operator, screen }: Session,
  { operands, flags }: Call<{ readonly tenant?: string }>,
): Promise<undefined> {
  const id = operand(operands)
  const details = await operator.event(id, flags.tenant)
  if (details === null) throw notFound('event', id, 'List them: eventspine events list.')
  screen.answer(details, () => lines(details, screen.width))
  return undefined
}

function lines({ event, deliveries, chain }: EventDetails, width: number): Text[] {
  return [
    [bold(event.type), dim(` version ${event.version}`)],
    '',
    ...indented(attributes(event)),
    '',
    bold('Data'),
    ...(event.unreadable === undefined ? dataLines(event.data) : unreadableLines(event.unreadable)),
    '',
    bold('Deliveries'),
    ...indented(deliveryLines(deliveries, width - 2)),
    '',
    bold('What led to what'),
    ...indented(tree(branch(chain, event, Date.parse(chain.event.recordedAt)))),
  ]
}

const indented = (all: readonly Text[]): Text[] => all.map((line) => ['  ', line])

function attributes(event: EventView): Text[] {
  const optional = (name: string, value: string | undefined): (readonly [string, Text])[] =>
    value === undefined ? [] : [[name, value]]
  const extensions = Object.keys(event.extensions).length === 0 ? undefined : visibleJson(event.extensions)
  return list([
    ['id', event.id],
    ['source', event.source],
    ...optional('subject', event.subject),
    ...optional('key', event.key),
    ['tenant', event.tenant],
    ['time', moment(Date.parse(event.time))],
    ['recorded', moment(Date.parse(event.recordedAt))],
    ['correlation', event.correlationId],
    ...optional('caused by', event.causationId),
    ...optional('extensions', extensions),
    ['position', `${event.position.epoch}.${event.position.seq}`],
  ])
}

const unreadableLines = ({ claim, reason }: NonNullable<EventView['unreadable']>): Text[] => [
  [red('  could not be fetched from the object store: '), reason],
  dim(`  Ask again once the store answers. Their name there: ${claim}`),
]

/** Data as indented JSON, cut after 60 lines. */
export function dataLines(data: unknown): Text[] {
  const all = visibleJson(data, 2).split('\n')
  const shown = all.slice(0, dataLinesMax).map((line): Text => ['  ', line])
  if (all.length <= dataLinesMax) return shown
  return [...shown, dim(`  … ${all.length - dataLinesMax} more lines; all of it with --json`)]
}

const stateStyles: Readonly<Record<DeliveryView['state'], Text>> = {
  completed: green('✓ completed'),
  pending: dim('· pending'),
  running: cyan('▸ running'),
  waiting: yellow('· waiting'),
  retry: yellow('↻ retry'),
  redriving: yellow('↻ redriving'),
  redriven: green('✓ redriven'),
  dead: red('✗ dead'),
  discarded: dim('✗ discarded'),
}

function deliveryLines(deliveries: readonly DeliveryView[], width: number): Text[] {
  if (deliveries.length === 0) return [dim('no subscription takes it')]
  const columns = [
    { title: 'SUBSCRIPTION', widthMin: 12 },
    { title: 'STATE' },
    { title: 'ATTEMPTS', align: 'right' },
    { title: 'TOOK', align: 'right' },
    { title: 'DELIVERY' },
  ] as const
  const rows = deliveries.map((delivery) => [
    delivery.replay === null ? delivery.subscription : `${delivery.subscription} (replay)`,
    stateStyles[delivery.state],
    String(delivery.attempt),
    tookOf(delivery),
    delivery.id,
  ])
  const failures = deliveries.flatMap(({ subscription, state, failure, dueAtMs }): Text[] => {
    // What was redriven or discarded has had its error; that is history.
    if (failure === null || state === 'redriven' || state === 'discarded') return []
    const due = dueAtMs === null ? '' : `, next attempt ${moment(dueAtMs)}`
    return [[red(`${subscription}: `), `${failure.category}: ${failure.message}`, dim(due)]]
  })
  return [...table(columns, rows, width), ...failures]
}

const tookOf = ({ runs }: DeliveryView) => {
  const last = runs.at(-1)
  return last === undefined ? dim('–') : duration(last.durationMs)
}

function branch({ event, children }: CausalNode, shown: EventView, beganAtMs: number): Branch {
  const after = Date.parse(event.recordedAt) - beganAtMs
  const isShown = event.id === shown.id && event.source === shown.source
  return {
    text: [
      isShown ? bold(event.type) : event.type,
      dim(`  ${after <= 0 ? '' : `+${duration(after)}  `}${event.id}`),
      isShown ? cyan(' ◂') : '',
    ],
    children: children.map((child) => branch(child, shown, beganAtMs)),
  }
}
