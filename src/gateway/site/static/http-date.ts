/** The dates of HTTP (RFC 9110, 5.6.7). `Date.parse` takes nearly everything, and a condition with another date must be ignored (13.1.3). */

const usual =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} [\d:]{8} GMT$/;
const rfc850 = /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, \d\d-[A-Z][a-z]{2}-\d\d [\d:]{8} GMT$/;
const asctime = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4}$/;

/** ms since 1970; null: it is none. */
export function httpDate(text: string | undefined): number | null {
  if (text === undefined) return null;
  let date = Number.NaN;
  if (usual.test(text) || rfc850.test(text)) date = Date.parse(text);
  // it names no zone, and is of UTC
  else if (asctime.test(text)) date = Date.parse(`${text} GMT`);
  return Number.isNaN(date) ? null : date;
}
