// A QR code (ISO/IEC 18004) of an alphanumeric text at level M, made on the phone itself: no network is needed.

const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
// By version, 1 to 20, at level M: correction words in each block, and blocks.
const CORRECTION = [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26];
const BLOCKS = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16];
const LEVEL_M = 0;

const MASKS = [
  (x, y) => (x + y) % 2 === 0,
  (x, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

/** The code of `text` as rows of true (dark) and false; throws where a character or the length does not fit. */
export function qr(text) {
  const version = fitting(text);
  const words = interleaved(encoded(text, version), version);
  const frame = new Frame(version);
  frame.fill(words);
  return frame.best();
}

function fitting(text) {
  const bits = Math.floor(text.length / 2) * 11 + (text.length % 2) * 6;
  for (let version = 1; version <= BLOCKS.length; version += 1) {
    if (4 + countBits(version) + bits <= dataWords(version) * 8) return version;
  }
  throw new RangeError("the text is too long for a code");
}

const countBits = (version) => (version < 10 ? 9 : 11);
const dataWords = (version) => allWords(version) - CORRECTION[version - 1] * BLOCKS[version - 1];
const sizeOf = (version) => version * 4 + 17;

/** All words of a version: what is left of its square without the patterns. */
function allWords(version) {
  let modules = sizeOf(version) ** 2 - 3 * 64 - 2 * 15 - 1 - 2 * (sizeOf(version) - 16);
  const places = alignments(version).length;
  if (places) modules -= (places ** 2 - 3) * 25 - (places - 2) * 2 * 5;
  if (version >= 7) modules -= 2 * 18;
  return Math.floor(modules / 8);
}

/** Where the centres of the small squares are, along one side. */
function alignments(version) {
  if (version === 1) return [];
  const count = Math.floor(version / 7) + 2;
  const step = Math.ceil((version * 4 + 4) / (count * 2 - 2)) * 2;
  const places = [];
  for (let place = sizeOf(version) - 7; places.length < count - 1; place -= step) places.unshift(place);
  return [6, ...places];
}

// --- words ---

function encoded(text, version) {
  const bits = [];
  const put = (value, length) => {
    for (let bit = length - 1; bit >= 0; bit -= 1) bits.push((value >>> bit) & 1);
  };
  put(0b0010, 4);
  put(text.length, countBits(version));
  const values = Array.from(text, (letter) => {
    const value = LETTERS.indexOf(letter);
    if (value < 0) throw new RangeError(`no code has the character ${letter}`);
    return value;
  });
  for (let at = 0; at + 1 < values.length; at += 2) put(values[at] * 45 + values[at + 1], 11);
  if (values.length % 2) put(values[values.length - 1], 6);
  const room = dataWords(version) * 8;
  put(0, Math.min(4, room - bits.length));
  put(0, (8 - (bits.length % 8)) % 8);
  for (let pad = 0xec; bits.length < room; pad ^= 0xec ^ 0x11) put(pad, 8);
  const words = new Uint8Array(room / 8);
  bits.forEach((bit, at) => { words[at >> 3] |= bit << (7 - (at & 7)); });
  return words;
}

/** Cut into blocks, each with its correction words, and all of them dealt out in turn. */
function interleaved(words, version) {
  const blocks = BLOCKS[version - 1];
  const correction = CORRECTION[version - 1];
  const short = Math.floor(words.length / blocks);
  const longer = words.length % blocks; // so many blocks at the end have one word more
  const divisor = generator(correction);
  const parts = [];
  for (let number = 0, from = 0; number < blocks; number += 1) {
    const length = short + (number >= blocks - longer ? 1 : 0);
    const data = words.subarray(from, from + length);
    parts.push({ data, check: remainder(data, divisor) });
    from += length;
  }
  const dealt = [];
  for (let at = 0; at <= short; at += 1) {
    for (const { data } of parts) if (at < data.length) dealt.push(data[at]);
  }
  for (let at = 0; at < correction; at += 1) for (const { check } of parts) dealt.push(check[at]);
  return dealt;
}

// --- Reed-Solomon over GF(256), modulus x^8 + x^4 + x^3 + x^2 + 1 ---

const POWERS = new Uint8Array(255);
const LOGS = new Uint8Array(256);
for (let exponent = 0, value = 1; exponent < 255; exponent += 1) {
  POWERS[exponent] = value;
  LOGS[value] = exponent;
  value = (value << 1) ^ (value & 0x80 ? 0x11d : 0);
}
const times = (one, other) => (one && other ? POWERS[(LOGS[one] + LOGS[other]) % 255] : 0);

/** The product of (x - a^0) … (x - a^(degree-1)), without its leading 1. */
function generator(degree) {
  let product = [1];
  for (let root = 0; root < degree; root += 1) {
    const next = [...product, 0];
    product.forEach((factor, at) => { next[at + 1] ^= times(factor, POWERS[root]); });
    product = next;
  }
  return product.slice(1);
}

function remainder(data, divisor) {
  const rest = new Uint8Array(divisor.length);
  for (const word of data) {
    const factor = word ^ rest[0];
    rest.copyWithin(0, 1);
    rest[rest.length - 1] = 0;
    divisor.forEach((each, at) => { rest[at] ^= times(each, factor); });
  }
  return rest;
}

// --- the square ---

class Frame {
  constructor(version) {
    this.size = sizeOf(version);
    this.dark = rows(this.size);
    this.fixed = rows(this.size); // patterns, which no mask touches
    this._patterns(version);
  }

  /** Lay the words from the lower right, two columns at a time, up and down. */
  fill(words) {
    let bit = 0;
    for (let right = this.size - 1; right > 0; right -= right === 8 ? 3 : 2) {
      const column = right === 6 ? 5 : right;
      const upwards = ((column + (column < 6 ? 2 : 1)) & 2) === 0;
      for (let step = 0; step < this.size; step += 1) {
        const y = upwards ? this.size - 1 - step : step;
        for (const x of [column, column - 1]) {
          if (!this.fixed[y][x] && bit < words.length * 8) {
            this.dark[y][x] = ((words[bit >> 3] >> (7 - (bit & 7))) & 1) === 1;
            bit += 1;
          }
        }
      }
    }
  }

  /** The rows under the mask that scanners like best. */
  best() {
    const tried = MASKS.map((_, mask) => this._masked(mask));
    const costs = tried.map(cost);
    return tried[costs.indexOf(Math.min(...costs))];
  }

  _set(x, y, dark) {
    this.dark[y][x] = dark;
    this.fixed[y][x] = true;
  }

  _patterns(version) {
    const last = this.size - 1;
    for (let at = 0; at < this.size; at += 1) {
      this._set(6, at, at % 2 === 0);
      this._set(at, 6, at % 2 === 0);
    }
    for (const [x, y] of [[3, 3], [last - 3, 3], [3, last - 3]]) this._finder(x, y);
    const places = alignments(version);
    const end = places[places.length - 1];
    for (const x of places) {
      for (const y of places) {
        const taken = (x === 6 && y === 6) || (x === 6 && y === end) || (x === end && y === 6);
        if (!taken) this._ringed(x, y, 2, (ring) => ring !== 1);
      }
    }
    this._format(0); // its place is kept; the mask writes it
    if (version >= 7) this._version(version);
  }

  _finder(x, y) {
    this._ringed(x, y, 4, (ring) => ring !== 2 && ring !== 4);
  }

  _ringed(x, y, radius, dark) {
    for (let dy = -radius; dy <= radius; dy += 1) {
      for (let dx = -radius; dx <= radius; dx += 1) {
        const inside = x + dx >= 0 && x + dx < this.size && y + dy >= 0 && y + dy < this.size;
        if (inside) this._set(x + dx, y + dy, dark(Math.max(Math.abs(dx), Math.abs(dy))));
      }
    }
  }

  _format(mask) {
    const bits = protectedBits((LEVEL_M << 3) | mask, 10, 0x537) ^ 0x5412;
    const bit = (number) => ((bits >> number) & 1) === 1;
    const last = this.size - 1;
    for (let number = 0; number < 15; number += 1) {
      const beside = number < 6 ? number : number < 8 ? number + 1 : last - 14 + number;
      const above = number < 8 ? last - number : number === 8 ? 7 : 14 - number;
      this._set(8, beside, bit(number));
      this._set(above, 8, bit(number));
    }
    this._set(8, this.size - 8, true);
  }

  _version(version) {
    const bits = protectedBits(version, 12, 0x1f25);
    for (let number = 0; number < 18; number += 1) {
      const dark = ((bits >> number) & 1) === 1;
      const [far, near] = [this.size - 11 + (number % 3), Math.floor(number / 3)];
      this._set(far, near, dark);
      this._set(near, far, dark);
    }
  }

  _masked(mask) {
    this._format(mask);
    return this.dark.map((row, y) => row.map((dark, x) => dark !== (!this.fixed[y][x] && MASKS[mask](x, y))));
  }
}

const rows = (size) => Array.from({ length: size }, () => Array(size).fill(false));

/** A value followed by its BCH remainder of so many bits. */
function protectedBits(value, length, divisor) {
  let rest = value << length;
  for (let bit = 31 - Math.clz32(rest); rest >> length; bit = 31 - Math.clz32(rest)) {
    rest ^= divisor << (bit - length);
  }
  return (value << length) | rest;
}

// --- what makes a code hard to read ---

function cost(square) {
  const columns = square[0].map((_, x) => square.map((row) => row[x]));
  const lines = [...square, ...columns].reduce((sum, line) => sum + runs(line) + finderLike(line), 0);
  return lines + blocks(square) + balance(square);
}

function runs(line) {
  let [sum, length] = [0, 0];
  line.forEach((dark, at) => {
    length = at && dark === line[at - 1] ? length + 1 : 1;
    if (length === 5) sum += 3;
    else if (length > 5) sum += 1;
  });
  return sum;
}

function finderLike(line) {
  const text = line.map(Number).join("");
  let sum = 0;
  for (const pattern of ["10111010000", "00001011101"]) {
    for (let at = text.indexOf(pattern); at >= 0; at = text.indexOf(pattern, at + 1)) sum += 40;
  }
  return sum;
}

function blocks(square) {
  let sum = 0;
  for (let y = 1; y < square.length; y += 1) {
    for (let x = 1; x < square.length; x += 1) {
      const dark = square[y][x];
      if (dark === square[y][x - 1] && dark === square[y - 1][x] && dark === square[y - 1][x - 1]) sum += 3;
    }
  }
  return sum;
}

function balance(square) {
  const dark = square.flat().filter(Boolean).length;
  return Math.floor(Math.abs(dark * 20 - square.length ** 2 * 10) / square.length ** 2) * 10;
}
