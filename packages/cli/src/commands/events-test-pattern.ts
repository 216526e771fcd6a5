// `eventspine events test-pattern`: does this pattern take this event, and which of its conditions decide it? Needs no
// database and no app.
import type { Filter, FilterCondition, FilterExplanation } from 'eventspine/ingress'
import type { Call } from '../command.js'
import { CommandError, type ExitCode, exitCodes } from '../failure.js'
import { readJson } from '../input/json.js'
import type { Screen } from '../screen/screen.js'
import { table } from '../screen/table.js'
import { bold, dim, green, red, type Text, yellow } from '../screen/text.js'
import { visibleJson } from '../screen/visible.js'

export interface TestPatternFlags {
  readonly pattern: string
  readonly event: string
}

/** The task of the command. Answers 0 for a match, 1 for none; what is no pattern, or no event, is wrong input, 2. */
export async function testPattern(
  screen: Screen,
  { flags }: Call<TestPatternFlags>,
): Promise<ExitCode | undefined> {
  if (flags.pattern === '-' && flags.event === '-')
    throw new CommandError('INPUT_TWICE', 'Standard input cannot be both. Give --pattern or --event a file.')
  const { explainFilter } = await import('eventspine/ingress')
  const filter = await compiled(await readJson(flags.pattern, '--pattern', true))
  const event = await readJson(flags.event, '--event', true)
  checkEvent(event)
  const explanation = explainFilter(filter, event)
  screen.answer(explanation, () => lines(explanation, screen.width))
  return explanation.matches ? undefined : exitCodes.failed
}

// Of what is no event, such as its data alone, each pattern would say that it does not match.
function checkEvent(event: unknown): void {
  const isObject = typeof event === 'object' && event !== null && !Array.isArray(event)
  if (isObject && 'type' in event && typeof event.type === 'string') return
  const what = isObject ? 'an object whose "type" is no text' : 'no object'
  throw new CommandError(
    'EVENT_INVALID',
    `--event holds no event, but ${what}. Write { "type": "…", "data": … }, or what "eventspine events show ID --json" prints as "event".`,
    { field: isObject ? '/type' : '' },
  )
}

async function compiled(pattern: unknown): Promise<Filter> {
  const { compileEventFilter, FilterError } = await import('eventspine/ingress')
  try {
    return compileEventFilter(pattern)
  } catch (error) {
    if (!(error instanceof FilterError)) throw error
    throw new CommandError('PATTERN_INVALID', error.message, { field: error.path, cause: error })
  }
}

function lines({ matches, conditions, choices, apart }: FilterExplanation, width: number): Text[] {
  const columns = [
    { title: '' },
    { title: 'FIELD' },
    { title: 'ONE OF', widthMin: 16 },
    { title: 'THE EVENT HAS', widthMin: 16 },
  ]
  return [
    matches
      ? [green('✓'), bold(' The pattern takes the event.')]
      : [red('✗'), bold(' The pattern does not take the event.')],
    '',
    ...table(columns, conditions.map(row), width),
    ...choices.map(({ path, branches }): Text => {
      const held = branches.flatMap((holds, at) => (holds ? [`[${at}]`] : []))
      return [path, ' ', held.length === 0 ? red('no branch holds') : green(`holds by ${held.join(', ')}`)]
    }),
    ...(apart ? ['', yellow('Each condition is met, but not by one and the same element of a list.')] : []),
  ]
}

function row({ path, wanted, found, matches }: FilterCondition): Text[] {
  const values = found.map((value) => visibleJson(value)).join(', ')
  return [
    matches ? green('✓') : red('✗'),
    path,
    wanted.map((value) => visibleJson(value)).join(', '),
    found.length === 0 ? dim('nothing') : values,
  ]
}
