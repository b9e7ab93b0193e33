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

  /** Adds a photo: `file` to be uploaded, or the address `url`. */
  add({ name, file = null, url = null }) {
    lastId += 1;
    const photo = {
      id: lastId,
      name,
      file,
      url,
      /** An object URL of the whole photo. */
      picture: null,
      progress: 0,
      /** Why the upload was refused, and whether it can be tried again. */
      refusal: "",
      retriable: false,
      /** Why the server cannot draw the photo. */
      unusable: "",
      /** What is wrong with the settings. */
      fault: "",
      settings: {},
    };
    this.photos.push(photo);
    this.listed();
    this.changed();
    return photo;
  }

  /** Changes what is known about a photo. */
  update(photo, values) {
    const urlBefore = photo.url;
    Object.assign(photo, values);
    this.listed();
    if (photo.url !== urlBefore) this.changed(false);
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

  /** The photos that an order can name: neither being uploaded nor refused. */
  get ready() {
    return this.photos.filter((photo) => photo.url);
  }

  get uploading() {
    return this.photos.filter((photo) => !photo.url && !photo.refusal);
  }

  /** The duration of the film in seconds, as ordered. */
  get duration() {
    if (this.choices.duration !== undefined) return this.choices.duration;
    const sum = this.ready.reduce((seconds, photo) => seconds + (photo.settings.duration ?? SECONDS_A_PHOTO), 0);
    return Math.min(sum, LONGEST);
  }

  get shape() {
    return SHAPES.find((shape) => shape.ratio === this.shown);
  }

  /** The body of POST /api/videos. */
  toJson() {
    const { duration, ratios = [], ...rest } = this.choices;
    const shapes = SHAPES.filter(({ ratio }) => ratios.includes(ratio));
    return compact({
      photos: this.ready.map((photo) => ({ url: photo.url, ...compact(photo.settings) })),
      duration: this.duration,
      ...rest,
      outputs: shapes.map(({ name, ratio }) => ({ name, aspect_ratio: ratio })),
    });
  }
}

function compact(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

export const order = new Order();
