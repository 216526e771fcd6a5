// Brings conditions on the same list of objects together before they are compiled. A condition on `items` beside a `$or`
// whose branches also speak of `items` must be met by one element, so those branches are written out, each joined with its
// neighbour; all other `$or`s stay as they are and cost nothing.
import { FilterError } from './error.js'
import type { FieldPattern, LeafPattern, ObjectPattern } from './pattern.js'

/** Fields that may be written out for the sake of `$or`; a pattern has at most 2,000 of its own. */
const joinedFieldsMax = 20_000

/** A pattern in which no two parts speak of one object's inside separately. */
export interface JoinedPattern {
  readonly fields: ReadonlyMap<string, JoinedField>
  readonly choices: readonly (readonly JoinedPattern[])[]
  /** Nothing but `exists: false` is asked. */
  readonly absenceOnly: boolean
}

/** What is asked of one field: every list in `leaves`, and of what is nested in it, `object`. */
export interface JoinedField {
  readonly leaves: readonly LeafPattern[]
  readonly object: JoinedPattern | undefined
}

/** @throws FilterError when writing the branches out would take more than `joinedFieldsMax` fields. */
export function joinPattern(pattern: ObjectPattern): JoinedPattern {
  return new Joiner().join(pattern)
}

class Joiner {
  #fields = 0

  join(pattern: ObjectPattern): JoinedPattern {
    const shared = sharedNames(pattern)
    const apart = (choice: readonly ObjectPattern[]): boolean =>
      !innerNames(choice).some((name) => shared.has(name))
    const fields = new Map<string, JoinedField>()
    const kept = new Map<string, FieldPattern>()
    for (const [name, field] of pattern.fields) {
      if (shared.has(name)) kept.set(name, field)
      else fields.set(name, this.#joinField(field))
    }
    const choices: (readonly JoinedPattern[])[] = pattern.choices
      .filter(apart)
      .map((choice) => choice.map((branch) => this.join(branch)))
    if (shared.size > 0) {
      const entangled = pattern.choices.filter((choice) => !apart(choice))
      choices.push(this.#writeOut({ fields: kept, choices: [] }, entangled))
    }
    const isAbsence = [...fields.values()].every(asksOnlyAbsence)
    return { fields, choices, absenceOnly: isAbsence && choices.flat().every((branch) => branch.absenceOnly) }
  }

  #joinField(field: FieldPattern): JoinedField {
    return { leaves: field.leaves, object: field.object && this.join(field.object) }
  }

  #writeOut(base: ObjectPattern, choices: readonly (readonly ObjectPattern[])[]): readonly JoinedPattern[] {
    let alternatives: readonly ObjectPattern[] = [base]
    for (const choice of choices) {
      alternatives = alternatives.flatMap((left) => choice.map((branch) => this.#merge(left, branch)))
    }
    return alternatives.map((alternative) => this.join(alternative))
  }

  #merge(left: ObjectPattern, right: ObjectPattern): ObjectPattern {
    const fields = new Map(left.fields)
    for (const [name, field] of right.fields) {
      const other = fields.get(name)
      fields.set(name, other === undefined ? field : this.#mergeField(other, field))
    }
    this.#fields += fields.size
    if (this.#fields > joinedFieldsMax) {
      throw new FilterError(
        '',
        `makes more than ${joinedFieldsMax} fields of its "$or"s; write several values in one list, or split the filter`,
      )
    }
    return { fields, choices: [...left.choices, ...right.choices] }
  }

  #mergeField(left: FieldPattern, right: FieldPattern): FieldPattern {
    const object =
      left.object && right.object ? this.#merge(left.object, right.object) : (left.object ?? right.object)
    return { leaves: [...left.leaves, ...right.leaves], object }
  }
}

function asksOnlyAbsence(field: JoinedField): boolean {
  if (field.object !== undefined && !field.object.absenceOnly) return false
  return field.leaves.every(
    (leaf) => leaf.absent && !leaf.present && leaf.values.size === 0 && leaf.tests.length === 0,
  )
}

/** Names of objects that more than one part of the pattern looks into. */
function sharedNames(pattern: ObjectPattern): ReadonlySet<string> {
  const seen = new Set<string>()
  const shared = new Set<string>()
  for (const [name, field] of pattern.fields) if (field.object !== undefined) seen.add(name)
  for (const choice of pattern.choices) {
    for (const name of new Set(innerNames(choice))) {
      if (seen.has(name)) shared.add(name)
      seen.add(name)
    }
  }
  return shared
}

/** Names of objects that the branches of a choice look into, branches of their own choices included. */
function innerNames(choice: readonly ObjectPattern[]): string[] {
  return choice.flatMap((branch) => {
    const names = [...branch.fields].filter(([, field]) => field.object !== undefined).map(([name]) => name)
    return [...names, ...branch.choices.flatMap(innerNames)]
  })
}
