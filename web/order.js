// The order that the page edits: its photos, its choices, and the JSON that the API takes.

/** The shapes of a film, and the name of the output of each. */
export const SHAPES = [
  { ratio: "1:1", name: "square", width: 1080, height: 1080 },
  { ratio: "16:9", name: "landscape", width: 1920, height: 1080 },
  { ratio: "4:5", name: "portrait", width: 1080, height: 1350 },
  { ratio: "9:16", name: "vertical", width: 1080, height: 1920 },
];

/** How long a photo is shown, in seconds, where neither it nor the film has a duration. */
const SECONDS_A_PHOTO = 4;
const LONGEST = 400;

let lastId = 0;

function createPhoto(values) {
  lastId += 1;
  return {
    id: lastId,
    file: null,
    url: null,
    /** Whether the server is fetching the address for the first time. */
    fetching: false,
    ...values,
    seconds: values.seconds ?? SECONDS_A_PHOTO,
    settings: { ...values.settings },
    /** An object URL of the whole photo. */
    picture: null,
    progress: 0,
    /** Why the photo cannot be in the film, and whether it is worth another try. */
    unusable: "",
    retriable: false,
    /** What is wrong with the settings. */
    fault: "",
  };
}

const isBad = (photo) => Boolean(photo.unusable);
const isReady = (photo) => Boolean(photo.url) && !photo.fetching && !isBad(photo);

/** Sends "change" after every change of the film, and "photos" after every change of how photos are listed. */
class Order extends EventTarget {
  photos = [];
  choices = {};
  /** The ratio that the preview shows. */
  shown = "1:1";

  setChoices(choices) {
    this.choices = choices;
    this.changed();
  }

  /** `edited`: by the user, not by an upload that ended. */
  changed(edited = true) {
    this.dispatchEvent(new CustomEvent("change", { detail: { edited } }));
  }

  listed() {
    this.dispatchEvent(new Event("photos"));
  }

  /** Adds a photo: `file` to be uploaded, or the address `url`. `seconds`: how long it is shown unless set. */
  add(values) {
    const photo = createPhoto(values);
    this.photos.push(photo);
    this.listed();
    this.changed();
    return photo;
  }

  /** Puts photos before those that have come meanwhile. */
  restore(photos) {
    this.photos.unshift(...photos.map(createPhoto));
    this.listed();
    this.changed(false);
  }

  /** Changes what is known about a photo. */
  update(photo, values) {
    const wasReady = isReady(photo) && photo.url;
    Object.assign(photo, values);
    this.listed();
    if ((isReady(photo) && photo.url) !== wasReady && this.photos.includes(photo)) this.changed(false);
  }

  /** Changes settings of a photo; undefined is the default. */
  set(photo, settings) {
    Object.assign(photo.settings, settings);
    this.listed();
    this.changed();
  }

  remove(photo) {
    this.photos.splice(this.photos.indexOf(photo), 1);
    this.listed();
    this.changed();
  }

  move(photo, index) {
    this.photos.splice(this.photos.indexOf(photo), 1);
    this.photos.splice(index, 0, photo);
    this.listed();
    this.changed();
  }

  /** The photos that an order names. */
  get ready() {
    return this.photos.filter(isReady);
  }

  /** The photos that are still being uploaded or fetched. */
  get pending() {
    return this.photos.filter((photo) => !isBad(photo) && !isReady(photo));
  }

  /** The photos that an order leaves out. */
  get bad() {
    return this.photos.filter(isBad);
  }

  numberOf(photo) {
    return this.photos.indexOf(photo) + 1;
  }

  /** The duration of the film in seconds, as ordered. */
  get duration() {
    if (this.choices.duration !== undefined) return this.choices.duration;
    const sum = this.ready.reduce((seconds, photo) => seconds + (photo.settings.duration ?? photo.seconds), 0);
    return Math.min(sum, LONGEST);
  }

  get shape() {
    return SHAPES.find((shape) => shape.ratio === this.shown);
  }

  /** The body of POST /api/videos. */
  toJson() {
    const { duration, ratios = [], unbranded, maxBytes, ...rest } = this.choices;
    const outputs = SHAPES.filter(({ ratio }) => ratios.includes(ratio)).map(({ name, ratio }) =>
      compact({ name, aspect_ratio: ratio, max_bytes: maxBytes }),
    );
    const copy = (output) => ({ ...output, name: `${output.name}-unbranded`, branded: false });
    return compact({
      photos: this.ready.map((photo) => ({ url: photo.url, ...compact(photo.settings) })),
      duration: this.duration,
      ...rest,
      outputs: unbranded ? [...outputs, ...outputs.map(copy)] : outputs,
    });
  }
}

function compact(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

export const order = new Order();
