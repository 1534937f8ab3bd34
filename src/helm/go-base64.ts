const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const PADDING = 0x3d;

/** 1 for each byte of the alphabet (RFC 4648, section 4). */
const ALPHABET = new Uint8Array(256);
for (const letter of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
  ALPHABET[letter.charCodeAt(0)] = 1;

/**
 * Whether Go's base64.StdEncoding reads the text. It wants padding, and skips nothing but line breaks. Node's decoder also takes the
 * alphabet of URLs, and leaves out what it does not know.
 */
export const isGoBase64 = (text: Uint8Array): boolean => {
  let letters = 0;
  let padding = 0;
  for (let at = 0; at < text.length; at += 1) {
    const byte = text[at] ?? 0;
    if (ALPHABET[byte] === 1) {
      if (padding > 0) return false;
      letters += 1;
    } else if (byte === PADDING) padding += 1;
    else if (byte !== LINE_FEED && byte !== CARRIAGE_RETURN) return false;
  }
  return padding <= 2 && letters % 4 !== 1 && (letters + padding) % 4 === 0;
};
