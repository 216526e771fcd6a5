// The pages as files in memory, bundled from `web/` at the start: it takes a tenth of a second, and nothing lies around that could be old.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

export interface PageFile {
  readonly contentType: string
  readonly bytes: Buffer
  readonly etag: string
}

const folder = fileURLToPath(new URL('../../web/', import.meta.url))

const contentTypes: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  webmanifest: 'application/manifest+json',
}

/** Where it is served, and where it lies. */
const asTheyAre = {
  '/sign-in': 'sign-in.html',
  '/ward': 'board.html',
  '/bed': 'bed.html',
  '/reports': 'reports.html',
  '/not-found': 'not-found.html',
  '/phone/': 'phone.html',
  '/phone/manifest.webmanifest': 'manifest.webmanifest',
  '/assets/icon.svg': 'icon.svg',
  '/assets/icon-192.png': 'icon-192.png',
  '/assets/icon-512.png': 'icon-512.png',
}

// A worker is in charge of what lies below its own address.
const bundled = {
  'assets/sign-in': 'sign-in.ts',
  'assets/board': 'board/main.ts',
  'assets/bed': 'bed/main.ts',
  'assets/reports': 'reports/main.ts',
  'assets/phone': 'phone/main.ts',
  'phone/worker': 'worker/worker.ts',
  'assets/ward': 'style/ward.css',
}

/** By the path under which each is served. Rejects with what the bundler says of a fault in the sources. */
export async function pageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>()
  // Loaded here: whoever serves no pages does without.
  const { build } = await import('esbuild')
  const { outputFiles } = await build({
    entryPoints: Object.fromEntries(Object.entries(bundled).map(([out, path]) => [out, `${folder}${path}`])),
    ...{ bundle: true, minify: true, write: false, format: 'iife', target: 'es2022', outdir: '/' },
    ...{ charset: 'utf8', logLevel: 'silent' },
  })
  for (const { path, contents } of outputFiles)
    files.set(path.replaceAll('\\', '/').replace(/^[A-Z]:/, ''), fileOf(path, Buffer.from(contents)))
  for (const [path, name] of Object.entries(asTheyAre)) {
    files.set(path, fileOf(name, await readFile(`${folder}${name}`)))
  }
  return files
}

const fileOf = (name: string, bytes: Buffer): PageFile => ({
  contentType: contentTypes[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream',
  bytes,
  etag: `"${createHash('sha256').update(bytes).digest('base64url')}"`,
})
