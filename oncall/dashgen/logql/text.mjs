// The texts inside LogQL as Loki reads them: quoted as in Go, regular expressions of RE2, patterns, templates.

const ESCAPE = /\\(?:[abfnrtv\\"]|x[0-9a-fA-F]{2}|[0-7]{3}|u[0-9a-fA-F]{4}|U00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4})/g;
const LETTERS = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

function unescape(escape) {
  const kind = escape[1];
  if (kind in LETTERS) return LETTERS[kind];
  if (/[xuU]/.test(kind)) return String.fromCodePoint(parseInt(escape.slice(2), 16));
  return /\d/.test(kind) ? String.fromCharCode(parseInt(escape.slice(1), 8)) : kind;
}

/// The value of a quoted text, or its problem.
export function unquote(quoted) {
  const inner = quoted.slice(1, -1);
  if (quoted.startsWith('`')) return { value: inner };
  const unknown = /\\.?/su.exec(inner.replace(ESCAPE, ''));
  if (unknown) return { problem: `${unknown[0]} is not an escape: double the backslash, or quote with backquotes` };
  return { value: inner.replace(ESCAPE, unescape) };
}

// JavaScript's regular expressions are close to RE2's. What RE2 does not support is rejected first; what JavaScript does
// not support is removed, because only the syntax and the empty value are checked.
const NOT_IN_RE2 = [
  [/\\[1-9]/, 'back-references'],
  [/\(\?<?[=!]/, 'look-around'],
  [/\\(?![aAbBCdDEfnpPQrsStvwWxz])[a-zA-Z_]/, 'this escape'],
];

/// The regular expression, or its problem.
export function expression(source) {
  const plain = source.replaceAll('\\\\', '');
  const foreign = NOT_IN_RE2.find(([sign]) => sign.test(plain));
  if (foreign) return { problem: `RE2 does not support ${foreign[1]}` };
  const flagless = source.replaceAll(/\(\?[imsU-]+([:)])/g, (_, end) => (end === ':' ? '(?:' : ''));
  try {
    return { value: new RegExp(`^(?:${flagless.replaceAll('(?P<', '(?<')})$`, 's') };
  } catch (error) {
    return { problem: `not a regular expression: ${error.message.split(': ').at(-1)}` };
  }
}

/// The names of the groups of a regular expression.
export function groups(source) {
  return [...source.matchAll(/\(\?P?<(\w+)>/g)].map(([, name]) => name);
}

/// The problem of the argument of the stage `pattern`.
export function pattern(source) {
  const captures = [...source.matchAll(/<([A-Za-z_]\w*)>/g)];
  const names = captures.map(([, name]) => name).filter((name) => name !== '_');
  if (names.length === 0) return 'the pattern has no named capture, such as <status>';
  if (new Set(names).size < names.length) return 'the pattern has two captures with the same name';
  const touching = captures.find(({ index }, n) => n > 0 && captures[n - 1].index + captures[n - 1][0].length === index);
  return touching && `the pattern has nothing between ${touching[0]} and the capture before it`;
}

/// The problem of a Go template, as far as its braces show.
export function template(source) {
  const rest = source.replaceAll(/\{\{(?:"(?:\\.|[^"\\])*"|`[^`]*`|[^"`{}])*\}\}/g, '');
  return rest.includes('{{') ? 'the template has an action that does not end: {{ without }}' : undefined;
}
