// Breaks a JSON value at one place: types, sizes, numbers, nesting, keys.
import type { Dice } from '../dice.js'
import { brokenLiterals, brokenTexts, strangeNumbers, strangeTexts } from '../schema/values.js'
import { Pairs, Raw } from './json-text.js'

/** A value with its fault, and what the fault is. */
export interface Mutated {
  readonly value: unknown
  readonly says: string
}

const levelsDeep = [3, 63, 64, 65, 500, 20_000]
const keysMany = [999, 1_000, 1_001, 5_000]
const itemsMany = [101, 1_001, 20_000]
const charactersMany = [101, 201, 401, 1_001, 10_000, 70_000, 262_000, 263_000]

// Names of columns, of what is derived, and of what is on every object.
const strayKeys = [
  'tenant_id',
  'status',
  'state',
  'seq',
  'xid',
  'epoch',
  'recorded_at',
  'recordedAt',
  'position',
  'claim',
  'actor',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'then',
  'toJSON',
  '',
  ' ',
  '$where',
  'a/b~c',
  '\u0000',
  'ключ',
]

/** Breaks one place of `value`, chosen by the dice. */
export function mutatedValue(dice: Dice, value: unknown): Mutated {
  // Deeper with every step: mostly a property of the whole, sometimes a part of a part.
  if (isObject(value) && Object.keys(value).length > 0 && dice.chance(0.75)) {
    const key = dice.pick(Object.keys(value))
    const { value: part, says } = mutatedValue(dice, value[key])
    return { value: { ...value, [key]: part }, says: `${key}: ${says}` }
  }
  if (Array.isArray(value) && value.length > 0 && dice.chance(0.75)) {
    const index = dice.between(0, value.length - 1)
    const { value: part, says } = mutatedValue(dice, value[index])
    return { value: value.map((item, at) => (at === index ? part : item)), says: `${index}: ${says}` }
  }
  return isObject(value) && dice.chance(0.6) ? mutatedKeys(dice, value) : replaced(dice)
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function mutatedKeys(dice: Dice, value: Record<string, unknown>): Mutated {
  const keys = Object.keys(value)
  const kind = dice.weighted({
    stray: 4,
    without: keys.length > 0 ? 3 : 0,
    twice: keys.length > 0 ? 2 : 0,
    renamed: 1,
  })
  const [first = 'a'] = keys.length > 0 ? [dice.pick(keys)] : []
  if (kind === 'without') {
    const { [first]: _, ...rest } = value
    return { value: rest, says: `without ${first}` }
  }
  const pairs = Object.entries(value)
  if (kind === 'twice') return { value: new Pairs([...pairs, [first, value[first]]]), says: `${first} twice` }
  if (kind === 'renamed') {
    const renamed = pairs.map(([key, part]) => [key === first ? key.toUpperCase() : key, part] as const)
    return { value: new Pairs(renamed), says: `${first} in capitals` }
  }
  const stray = dice.pick(strayKeys)
  return { value: new Pairs([...pairs, [stray, dice.pick([1, 'x', null, {}])]]), says: `stray ${stray}` }
}

function replaced(dice: Dice): Mutated {
  const kind = dice.weighted({
    type: 6,
    text: 6,
    broken: 3,
    number: 5,
    literal: 2,
    long: 1,
    deep: 1,
    many: 1,
  })
  switch (kind) {
    case 'type':
      return shown(dice.pick(['null', 'true', '[]', '{}', '0', '""', '[null]', '{"a":{}}', '["a"]']))
    case 'text':
      return { value: dice.pick(strangeTexts), says: 'a strange text' }
    case 'broken':
      return { value: dice.pick(brokenTexts), says: 'a broken text' }
    case 'number':
      return shown(dice.pick(strangeNumbers))
    case 'literal':
      return shown(dice.pick(brokenLiterals))
    case 'long':
      return long(dice)
    case 'deep':
      return deep(dice)
    case 'many':
      return many(dice)
  }
}

const shown = (text: string): Mutated => ({ value: new Raw(text), says: `is ${text.slice(0, 40)}` })

function long(dice: Dice): Mutated {
  const length = dice.pick(charactersMany)
  return { value: dice.pick(['x', 'ü', '\u{1f600}', '"']).repeat(length), says: `${length} characters` }
}

function deep(dice: Dice): Mutated {
  const levels = dice.pick(levelsDeep)
  const [open, close] = dice.pick([
    ['[', ']'],
    ['{"a":', '}'],
  ] as const)
  const inside = open === '[' ? '' : '1'
  return { value: new Raw(open.repeat(levels) + inside + close.repeat(levels)), says: `${levels} levels` }
}

function many(dice: Dice): Mutated {
  if (dice.chance(0.5)) {
    const length = dice.pick(itemsMany)
    return { value: Array(length).fill(0), says: `${length} items` }
  }
  const length = dice.pick(keysMany)
  const pairs = Array.from({ length }, (_, number) => [`k${number}`, 0] as const)
  return { value: new Pairs(pairs), says: `${length} keys` }
}
