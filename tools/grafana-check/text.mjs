// What descriptions and texts say about dashed lines. A text mentions a line with the word "dashed" and where the line is:
// "the dashed 90 %", "Dashed line: 5 s.", "Dashed lines: 250 ms, 500 ms." Each amount is written as Grafana writes it on the
// axis; a line so close to 0 that it marks anything above it is "just above 0".

const JUST_ABOVE = 'just above 0';
const UNIT = String.raw`%|(?:[KM] ?)?(?:req|ops|c)\/s|[KMGT]iB(?:\/s)?|B(?:\/s)?|Mil|Bil|K|M|ms|s|mins?|hours?|days?|weeks?`;
const AMOUNT = new RegExp(String.raw`^(?:just above 0|-?\$?\d+(?:[.,]\d+)*(?: ?(?:${UNIT})(?![A-Za-z\/]))?)`);

// "90 %" and "90%" are the same amount, as are "1.5 s" and "1.50 s".
export const plain = (text) =>
  text === JUST_ABOVE ? text : text.replace(/\s/g, '').replace(/(\.\d*?)0+(?=\D|$)/, '$1').replace(/\.(?=\D|$)/, '');

// How a line at this value is called, given how Grafana writes it.
export const called = (value, written) => (value > 0 && value <= 0.001 ? JUST_ABOVE : plain(written));

// Every amount that a text calls dashed, and the words where it does so without an amount.
export function mentions(text) {
  const amounts = [];
  const vague = [];
  for (const { 0: word, index } of (text ?? '').matchAll(/\bdashed\b(?: lines?\b)?:?/gi)) {
    let rest = text.slice(index + word.length).trimStart();
    let amount = rest.match(AMOUNT)?.[0];
    if (!amount) vague.push(text.slice(index, index + 30));
    while (amount) {
      amounts.push(plain(amount));
      rest = rest.slice(amount.length);
      const more = rest.match(/^(?:,| and) /)?.[0];
      amount = more ? rest.slice(more.length).match(AMOUNT)?.[0] : undefined;
      rest = rest.slice(more?.length ?? 0);
    }
  }
  return { amounts, vague };
}
