// What a mutant is: one bug, planted as a text edit of the product's source while it is loaded. Nothing is written to
// disk, and the product has no switch for it.

/** One bug that a test must catch. */
export interface Mutant {
  /** Kebab-case and unique: `--only` and the table for people name it so. */
  readonly name: string
  /** What it breaks, in the numbers of docs/internals/invariants.md: 'I8'. */
  readonly invariants: readonly string[]
  /** One sentence: what the product does wrong with it. */
  readonly bug: string
  readonly edits: readonly Edit[]
  readonly caughtBy: NamedTest
}

/** `find` stands exactly once in the file; `replace` takes its place. */
export interface Edit {
  /** Path in the repository. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

/** The cheapest test that fails with the mutant and passes without it. */
export interface NamedTest {
  /** Path in the repository. */
  readonly test: string
  /** A part of its title that no other test of the file has. */
  readonly name: string
}

/** A find text is gone from the product, or not unique in it: the mutant has to be written anew. */
export class StaleMutant extends Error {
  override readonly name = 'StaleMutant'
}

/** The text of `file` with the bug in it; the same text when the mutant leaves this file alone. */
export function mutated(mutant: Pick<Mutant, 'name' | 'edits'>, file: string, text: string): string {
  return mutant.edits
    .filter((edit) => edit.file === file)
    .reduce((before, { find, replace }) => {
      const found = before.split(find).length - 1
      if (found !== 1)
        throw new StaleMutant(`stale mutant "${mutant.name}": its text stands ${found} times in ${file}`)
      return before.replace(find, () => replace)
    }, text)
}

/** Paths in the repository of what it edits. */
export const filesOf = ({ edits }: Pick<Mutant, 'edits'>): readonly string[] => [
  ...new Set(edits.map(({ file }) => file)),
]
