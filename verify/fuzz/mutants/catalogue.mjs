// Bugs of the server, planted as text edits of its source while it is loaded, to show that the fuzzer finds them.
// JavaScript, since it runs in the thread that loads modules, before anything can load TypeScript.

/** `find` stands exactly once in the file. */
export const mutants = {
  'fault told to the caller': {
    file: 'packages/server/src/problem/from-error.ts',
    find: 'return new Problem(code, sentence(error.message), { field: error.path, cause: error })',
    replace: 'return new Problem(code, sentence(String(error.stack)), { field: error.path, cause: error })',
  },
  'malformed percent-encoding throws': {
    file: 'packages/server/src/publish/binary.ts',
    find: '  try {\n    return decodeURIComponent(plain)\n  } catch {',
    replace:
      "  if (plain !== '%never') return decodeURIComponent(plain)\n  try {\n    return plain\n  } catch {",
  },
  'acknowledged and not stored': {
    file: 'packages/server/src/routes/publish.ts',
    find: '      : await incoming.spine.ingestMany([...events])',
    replace:
      '      : await incoming.spine.ingestMany([...events]).then((all) => [...all, all[0] as (typeof all)[0]].slice(1).concat(all.slice(0, 1)).slice(0, all.length).map((one) => ({ ...one, id: `${one.id}x` })))',
  },
  'refused batch is half stored': {
    file: 'packages/server/src/routes/publish.ts',
    find: '      : await incoming.spine.ingestMany([...events])',
    replace:
      '      : await events.reduce(async (before, event) => [...(await before), await incoming.spine.ingest(event)], Promise.resolve([] as Awaited<ReturnType<typeof incoming.spine.ingest>>[]))',
  },
  'unknown query parameters pass': {
    file: 'packages/server/src/schema/parts.ts',
    find: 'export const cellQuery = z.strictObject(',
    replace: 'export const cellQuery = z.object(',
  },
  'a field that is not in the document': {
    file: 'packages/server/src/routes/system.ts',
    find: 'handle: () => ({ body: { ok: true } })',
    replace: "handle: () => ({ body: { ok: 'yes' } })",
  },
  'tenants see one another': {
    file: 'packages/server/src/access/tenancy.ts',
    find: '  return { ...filter, tenant: principal.tenant }',
    replace: '  return filter',
  },
  'search of all keys for each key': {
    file: 'packages/eventspine/src/event/json/scan.ts',
    find: '    if (hasKey(frame, key))',
    replace:
      '    if (hasKey(frame, key) || (frame.keys.length > 300 && this.#text.repeat(200).split(key).length === 0))',
  },
  'answer that never ends': {
    file: 'packages/server/src/publish/body.ts',
    find: "request.on('data', take).on('end', end).on('error', abort).on('close', abort)",
    replace:
      "if (declaredBytes !== 0 || request.headers['transfer-encoding'] === undefined) request.on('data', take).on('end', end).on('error', abort).on('close', abort)",
  },
  'payloads in the log': {
    file: 'packages/server/src/routes/publish.ts',
    find: '      eventIds: stored.map((event) => event.id),',
    replace: '      eventIds: events.map((event) => JSON.stringify(event.data)),',
  },
}

export const mutantNames = Object.keys(mutants)
