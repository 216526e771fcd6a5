// A query whose rows are handed on as they come from the server, without an object for each.
import pg from 'pg'

/** One row, column by column, as text; null for NULL. */
export type Fields = readonly (string | null)[]

export class FieldsQuery extends pg.Query {
  readonly #each: (fields: Fields) => void
  readonly ended: Promise<void>

  static statement(config: pg.QueryConfig, each: (fields: Fields) => void): FieldsQuery {
    return new FieldsQuery(config, each)
  }

  private constructor(config: pg.QueryConfig, each: (fields: Fields) => void) {
    let settle: (error: Error | undefined) => void = () => {}
    super(config, (error) => settle(error))
    this.#each = each
    this.ended = new Promise((resolve, reject) => {
      settle = (error) => (error ? reject(error) : resolve())
    })
  }

  // Called by the driver's connection for each row. What is thrown here would end the process: nothing may.
  handleDataRow({ fields }: { readonly fields: Fields }): void {
    this.#each(fields)
  }
}
