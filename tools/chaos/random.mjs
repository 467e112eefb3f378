// Numbers that look random and are the same for the same seed.

/** A source of its own for each name (sfc32 seeded by FNV-1a), so that one story's draws do not move another's. */
export function randomOf(...names) {
  let [a, b, c, d] = [0, 1, 2, 3].map((salt) => fnv(`${salt} ${names.join(' ')}`));
  const next = () => {
    const sum = (a + b + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 12; i += 1) next();
  return {
    /** From `least` up to, not including, `end`. */
    whole: (least, end) => least + Math.floor(next() * (end - least)),
    chance: (share) => next() < share,
    one: (list) => list[Math.floor(next() * list.length)],
    text: (length) => Array.from({ length }, () => 'abcdefghjkmnpqrstuvwxyz23456789'[Math.floor(next() * 31)]).join(''),
  };
}

function fnv(text) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}
