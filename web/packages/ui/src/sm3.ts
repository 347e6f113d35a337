/** The SM3 of some bytes, in hex. The code for it is fetched when first needed. */
export async function sm3Hex(bytes: ArrayBuffer | Uint8Array): Promise<string> {
  const { sm3 } = await import('./sm3lib')
  return sm3(bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes))
}
