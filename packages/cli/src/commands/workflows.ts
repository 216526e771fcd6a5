// `eventspine workflows`: list instances, show one as it went, start, signal, decide, cancel and mend.
import { type Command, Option } from 'commander'
import type { InstanceView, WorkflowQuery } from 'eventspine/workflow'
import {
  type Commands,
  nextPage,
  operand,
  type PageFlags,
  pageRequest,
  type ReasonFlags,
  reasonFrom,
  withReason,
} from '../command.js'
import { readJson } from '../input/json.js'
import { momentOf, wholeNumber } from '../input/values.js'
import { table } from '../screen/table.js'
import { dim, green, type Text } from '../screen/text.js'
import { ago } from '../screen/time.js'
import { addMending } from './workflows-mending.js'
import { showWorkflow } from './workflows-show.js'
import { standing, type VersionsOf, versionsKnown } from './workflows-standing.js'
import { instanceOf, type TenantFlags, tenantOf, withTenant } from './workflows-tenant.js'

interface ListFlags extends PageFlags, TenantFlags {
  readonly workflow?: string
  readonly state?: NonNullable<WorkflowQuery['state']>
  readonly id?: string
  readonly ofVersion?: number
  readonly after?: Date
  readonly before?: Date
}

interface DecisionFlags extends TenantFlags {
  readonly refuse?: boolean
  readonly reason?: string
  readonly question?: string
}

const states = [
  ...['open', 'needs-attention', 'awaiting-approval'],
  ...['running', 'compensating', 'completed', 'failed', 'compensated', 'cancelled', 'terminated'],
]

/** Adds the command. */
export function addWorkflows(program: Command, commands: Commands): void {
  const workflows = program
    .command('workflows')
    .description('list instances of workflows, show one; start, signal, decide, cancel, mend')
  const list = commands.operation<ListFlags>(async ({ spine, operator, screen }, { flags }) => {
    const { workflow, state, id, ofVersion: version, after: startedAfter, before: startedBefore } = flags
    const query = { ...pageRequest(flags), ...tenantOf(flags) }
    const page = await spine.workflows.list({
      ...query,
      ...(workflow !== undefined && { workflow }),
      ...(state !== undefined && { state }),
      ...(id !== undefined && { id }),
      ...(version !== undefined && { version }),
      ...(startedAfter !== undefined && { startedAfter }),
      ...(startedBefore !== undefined && { startedBefore }),
    })
    const versionsOf = await versionsKnown({ spine, operator })
    screen.answer(page, () => lines(page.items, versionsOf, page.cursor, screen.width))
    return undefined
  })
  workflows
    .command('list')
    .description('list instances, newest first')
    .option('--workflow <name>', 'of this workflow')
    .addOption(new Option('--state <state>', 'in this state').choices(states))
    .option('--id <id>', 'of this id, of whatever workflow')
    .option('--of-version <number>', 'that began on this version', wholeNumber(1, 1_000_000))
    .option('--after <time>', 'started since: ISO 8601, or so long ago (15m, 2h, 3d)', momentOf)
    .option('--before <time>', 'started before', momentOf)
    .option('--tenant <name>', 'of this tenant')
    .option('--limit <number>', 'so many, at most 500. Default 50', wholeNumber(1, 500))
    .option('--cursor <cursor>', 'go on where a page ended')
    .action(list)
  withTenant(workflows.command('show <workflow> <id>'))
    .description('show an instance: what it did, waits for, and undid')
    .action(commands.operation(showWorkflow))
  addStart(workflows, commands)
  addSignals(workflows, commands)
  addMending(workflows, commands)
}

function addStart(workflows: Command, commands: Commands): void {
  interface Flags extends TenantFlags {
    readonly input?: string
    readonly id?: string
  }
  withTenant(workflows.command('start <workflow>'))
    .description('start an instance')
    .option('--input <json>', 'JSON, @FILE, or - for standard input')
    .option('--id <id>', 'the same id twice is one instance. Default: a new one')
    .action(
      commands.operation<Flags>(async ({ spine, screen, hint }, { operands, flags }) => {
        const input = flags.input === undefined ? undefined : await readJson(flags.input, '--input')
        const { workflow, id, tenant } = await spine.workflows.start(operand(operands), input as never, {
          ...(flags.id !== undefined && { id: flags.id }),
          ...tenantOf(flags),
        })
        screen.answer({ workflow, id, tenant }, () => [
          [green('✓'), ` ${workflow} ${id} is on its way.`],
          dim(`Look: ${hint(`workflows show ${instanceOf({ workflow, id, tenant })}`)}`),
        ])
        return undefined
      }),
    )
}

function addSignals(workflows: Command, commands: Commands): void {
  withReason(withTenant(workflows.command('signal <workflow> <id> <name>')))
    .description('send a signal; it is kept until the instance asks for it')
    .option('--payload <json>', 'JSON, @FILE, or - for standard input')
    .action(
      commands.operation<TenantFlags & ReasonFlags & { readonly payload?: string }>(
        async ({ spine, screen, actor }, { operands, flags }) => {
          const [workflow, id, name] = [operand(operands), operand(operands, 1), operand(operands, 2)]
          const payload = flags.payload === undefined ? undefined : await readJson(flags.payload, '--payload')
          const options = { by: actor, ...tenantOf(flags), ...reasonFrom(flags) }
          await spine.workflows.signal(workflow, id, name, payload, options)
          screen.answer({ workflow, id, signal: name }, () => [
            [green('✓'), ` "${name}" is with ${workflow} ${id}.`],
          ])
          return undefined
        },
      ),
    )
  withTenant(workflows.command('approve <workflow> <id> <name>'))
    .description('decide what an instance asks; you are who decided')
    .option('--refuse', 'no')
    .option('--reason <text>', 'why')
    .option('--question <place>', 'which, where the name is asked more than once: as show has it')
    .action(
      commands.operation<DecisionFlags>(async ({ spine, screen, actor }, { operands, flags }) => {
        const [workflow, id, name] = [operand(operands), operand(operands, 1), operand(operands, 2)]
        const approved = flags.refuse !== true
        const { question } = await spine.workflows.approve(
          workflow,
          id,
          name,
          {
            ...{ approved, by: actor },
            ...(flags.reason !== undefined && { reason: flags.reason }),
            ...(flags.question !== undefined && { question: flags.question }),
          },
          tenantOf(flags),
        )
        screen.answer({ workflow, id, approval: name, question, approved, by: actor }, () => [
          [
            green('✓'),
            ` "${name}" of ${workflow} ${id} is ${approved ? 'approved' : 'refused'} by ${actor}.`,
          ],
        ])
        return undefined
      }),
    )
  withTenant(workflows.command('cancel <workflow> <id>'))
    .description('ask it to end: what is under way comes to its end, then all is undone')
    .option('--reason <text>', 'why')
    .action(
      commands.operation<TenantFlags & { readonly reason?: string }>(
        async ({ spine, screen, actor }, { operands, flags }) => {
          const [workflow, id] = [operand(operands), operand(operands, 1)]
          await spine.workflows.cancel(workflow, id, actor, flags.reason, tenantOf(flags))
          screen.answer({ workflow, id, cancelled: true }, () => [
            [green('✓'), ` ${workflow} ${id} is asked to end.`],
          ])
          return undefined
        },
      ),
    )
}

function whyOf({ attention, approval }: InstanceView): Text {
  const text = attention?.message ?? approval?.text
  return text?.split('\n')[0] ?? dim('–')
}

function lines(
  instances: readonly InstanceView[],
  versionsOf: VersionsOf,
  cursor: string | null,
  width: number,
): Text[] {
  if (instances.length === 0) return ['No instance fits.']
  const isForeign = instances.some(({ tenant }) => tenant !== 'default')
  const columns = [
    { title: 'STARTED' },
    { title: 'WORKFLOW' },
    { title: 'ID' },
    ...(isForeign ? [{ title: 'TENANT' }] : []),
    { title: 'STATE', widthMin: 12 },
    { title: 'WHY', widthMin: 10 },
  ]
  const rows = instances.map((each) => [
    ago(each.startedAtMs),
    each.version === 1 ? each.workflow : [each.workflow, dim(` v${each.version}`)],
    each.id,
    ...(isForeign ? [each.tenant] : []),
    standing(each, versionsOf),
    whyOf(each),
  ])
  return [...table(columns, rows, width), ...nextPage(cursor)]
}
