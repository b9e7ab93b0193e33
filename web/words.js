// What the server says about an order, in the words of the page.

/** What a field is called in a sentence, and its unit. */
const SUBJECTS = {
  "/duration": ["The length", " seconds"],
  "/frame_rate": ["The number of frames a second"],
  "/transition/duration": ["The transition", " seconds"],
  "/music": ["The music"],
  "/music/url": ["The music"],
  "/template/logo_url": ["The logo"],
  "/webhook_url": ["The webhook"],
  "/id": ["Your own reference"],
  "/outputs/#/max_bytes": ["The largest file", " bytes"],
  "/photos": ["The list of photos"],
  "/photos/#": ["Photo #"],
  "/photos/#/url": ["Photo #"],
  "/photos/#/duration": ["The time of photo #", " seconds"],
  "/photos/#/caption": ["The caption of photo #"],
};

/** What is said of lists without items. */
const NONE = { "#/outputs": "Choose at least one shape.", "#/photos": "None of the photos can be used." };

/** What is said of a subject; $1 is a number with its unit. */
const PREDICATES = [
  [/^\S+ is less than the minimum of (\S+)$/, "must be at least $1"],
  [/^\S+ is greater than the maximum of (\S+)$/, "can be at most $1"],
  [/has more than (\d+) items$/, "can have at most $1"],
  [/is not of type "integer"$/, "must be a whole number"],
  [/is not of type "number"$/, "must be a number"],
  [/is not an absolute http\(s\) URL$/, "needs an address that begins with http:// or https://"],
  [/^is larger than the limit of (\d+) bytes$/, "is larger than $1"],
  [/^answered (\d+)$/, "could not be fetched: its server answered $1"],
  [/^is not (?:t?here)\b.*/, "is not on the service any more: add it again"],
];

const PATH = /^([a-z_]+(?:\[\d+\]|\.[a-z_]+)*):? /;

/** The faults that a message about a failed order names: each has a JSON pointer, if it is about a field. */
export function faultsOf(message) {
  return message.split(/; (?=photos\[|music\.|template\.)/).map((detail) => {
    const path = /^(?:photos\[\d+\]|music\.url|template\.logo_url)(?= )/.exec(detail)?.[0];
    return { pointer: path ? `#/${path.replace("[", "/").replace("]", "").replaceAll(".", "/")}` : "", detail };
  });
}

/** The index of the photo that a pointer leads to, and the setting of it; undefined for other fields. */
export function photoOf(pointer) {
  const [, index, setting = "url"] = /^#\/photos\/(\d+)(?:\/(\w+))?/.exec(pointer) ?? [];
  return index === undefined ? {} : { index: Number(index), setting };
}

/** A sentence about a fault. `photoName` tells what the photo with an index is called. */
export function sentenceOf({ pointer, detail }, photoName = (index) => String(index + 1)) {
  if (/ has less than 1 item$/.test(detail)) return NONE[pointer] ?? sentence(detail);
  const path = pointer.slice(1);
  const [subject, unit = ""] = SUBJECTS[path.replaceAll(/\/\d+/g, "/#")] ?? [];
  if (!subject) return sentence(detail.replace(PATH, ""));
  const named = subject.replace("#", () => photoName(photoOf(pointer).index));
  return sentence(`${named} ${predicate(detail.replace(PATH, ""), unit)}`);
}

/** A sentence about a file that was refused by itself. */
export function refusalOf(message) {
  return sentence(`This photo ${predicate(message.replace(/^(?:photos\[\d+\](?:\.url)?|the photo):? /i, ""), "")}`);
}

function predicate(text, unit) {
  const [pattern, words] = PREDICATES.find(([known]) => known.test(text)) ?? [];
  if (!pattern) return text;
  const number = pattern.exec(text)[1];
  const isSize = unit === " bytes" || text.endsWith(" bytes");
  return words.replace("$1", isSize ? bytesText(Number(number)) : number + unit);
}

/** Characters that no font has are named by their numbers in the server's words: "\u{c4d}". */
export function warningOf(warning) {
  const text = warning.replaceAll(/\\u\{([0-9a-f]+)\}/g, (_, digits) => String.fromCodePoint(parseInt(digits, 16)));
  const [, missing, rest] = /^no font has (".*")(.*), which (?:is|are) left out of the titles$/.exec(text) ?? [];
  return missing ? `No font has ${missing}${rest}. The film leaves this out.` : sentence(text);
}

/** Limits are round numbers, of megabytes or of mebibytes. */
function bytesText(bytes) {
  return bytes % 2 ** 20 === 0 ? `${bytes / 2 ** 20} MiB` : `${bytes / 1e6} MB`;
}

export function sentence(text) {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(capital) || !capital ? capital : `${capital}.`;
}
