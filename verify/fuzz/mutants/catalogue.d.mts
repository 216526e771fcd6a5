export interface ServerMutant {
  readonly file: string
  readonly find: string
  readonly replace: string
}

export const mutants: Readonly<Record<string, ServerMutant>>
export const mutantNames: readonly string[]
