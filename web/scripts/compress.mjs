// Puts .gz and .br beside every text file of a build, so that the server need not compress.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

const text = new Set(['.html', '.js', '.mjs', '.css', '.svg', '.json', '.webmanifest', '.xml', '.bpmn'])
const br = promisify(brotliCompress)
const gz = promisify(gzip)

async function walk(dir) {
  const entries = await readdir(dir, { withFileTypes: true })
  for (const entry of entries) {
    const path = join(dir, entry.name)
    if (entry.isDirectory()) {
      await walk(path)
    } else if (text.has(extname(entry.name))) {
      const data = await readFile(path)
      if (data.length < 512) {
        continue
      }
      await writeFile(`${path}.gz`, await gz(data, { level: 9 }))
      await writeFile(`${path}.br`, await br(data, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: data.length } }))
    }
  }
}

await walk(process.argv[2] ?? 'dist')
