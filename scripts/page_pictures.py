"""Uses the page as a newcomer would, and takes pictures of it: arguments are the address of the service, its key, the
directory for the pictures, and photos."""

import pathlib
import shutil
import sys
import time

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

CURSOR = """
const cursor = document.createElement("div");
cursor.id = "cursor";
Object.assign(cursor.style, {
  position: "fixed", zIndex: 99, width: "22px", height: "22px", borderRadius: "50%", pointerEvents: "none",
  background: "rgb(255 90 60 / 75%)", border: "2px solid white", boxShadow: "0 1px 4px rgb(0 0 0 / 40%)",
  left: "640px", top: "420px", transition: "left .25s, top .25s, transform .1s",
});
document.body.append(cursor);
"""


class Page:
    def __init__(self, address, width, height, dark=False):
        options = webdriver.ChromeOptions()
        for argument in ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars",
                         "--autoplay-policy=no-user-gesture-required"]:
            options.add_argument(argument)
        driver = webdriver.ChromeService(shutil.which("chromedriver"))
        self.browser = webdriver.Chrome(options=options, service=driver)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        size = {"width": width, "height": height, "deviceScaleFactor": 1 if width > 600 else 2, "mobile": width < 600}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.browser.get(address)

    def one(self, css):
        return self.browser.find_element(By.CSS_SELECTOR, css)

    def run(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def until(self, what, is_so, patience=60):
        end = time.monotonic() + patience
        while not is_so():
            if time.monotonic() > end:
                sys.exit(f"{what}: not after {patience} s")
            time.sleep(0.05)

    def sign_in(self, key):
        self.one("#api-key").send_keys(key + "\n")
        self.until("the workspace", self.one("#workspace").is_displayed)

    def choose(self, photos):
        files = "\n".join(str(pathlib.Path(photo).resolve()) for photo in photos)
        self.one("#photo-files").send_keys(files)

    def has_preview(self):
        return self.run("const it = document.getElementById('preview'); return !it.hidden && it.naturalWidth > 0")


class Clip:
    """Pictures of a page, one after another, and for how long each is shown."""

    def __init__(self, page, directory):
        self.page, self.directory, self.shown = page, directory, []

    def frame(self, seconds):
        path = self.directory / f"{len(self.shown):04}.png"
        path.write_bytes(self.page.browser.get_screenshot_as_png())
        self.shown.append((path, seconds))

    def still(self, seconds):
        self.frame(seconds)

    def motion(self, seconds, step=lambda part: None):
        """Pictures over a time, as fast as they can be taken; `step` gets the part of the time that is over."""
        begin = last = time.monotonic()
        while last - begin < seconds:
            step((last - begin) / seconds)
            self.frame(0)
            now = time.monotonic()
            self.shown[-1] = (self.shown[-1][0], now - last)
            last = now

    def point(self, css):
        self.page.run("document.querySelector(arguments[0]).scrollIntoView({block: 'nearest'})", css)
        self.page.run(
            "const box = document.querySelector(arguments[0]).getBoundingClientRect();"
            "Object.assign(document.getElementById('cursor').style,"
            "{left: `${box.x + Math.min(box.width / 2, 90)}px`, top: `${box.y + box.height / 2 - 8}px`})", css)
        self.motion(0.35)

    def write(self):
        lines = [f"file '{path}'\nduration {seconds:.3f}" for path, seconds in self.shown]
        (self.directory / "clip.txt").write_text("\n".join(lines) + f"\nfile '{self.shown[-1][0]}'\n")


def record(address, key, directory, photos):
    page = Page(address, 1280, 800)
    page.sign_in(key)
    page.run(CURSOR)
    clip = Clip(page, directory)
    clip.still(0.8)
    clip.point(".drop-area")
    page.choose(photos)
    clip.motion(0.5)
    page.until("a preview", page.has_preview)
    clip.motion(0.6)
    clip.point("#template")
    Select(page.one("#template")).select_by_value("JustListed1")
    clip.motion(0.4)
    clip.point("#field-address")
    for letter in "12 Hillside Lane":
        page.one("#field-address").send_keys(letter)
        clip.motion(0.04)
    clip.motion(0.3)
    page.run("document.getElementById('cursor').style.transform = 'scale(.8)'")
    duration = float(page.one("#time").get_attribute("max"))
    page.run("window.scrollTo({top: 0})")

    def scrub(part):
        page.run("const it = document.getElementById('time'); it.value = arguments[0];"
                 "it.dispatchEvent(new Event('input', {bubbles: true}))", 1 + part * (duration - 2))

    clip.motion(2.2, scrub)
    clip.point("#make")
    page.one("#make").click()
    clip.motion(1.2)
    page.until("the film", lambda: page.run("return document.querySelector('#film-players video') !== null"))
    page.run("const film = document.querySelector('#film-players video'); film.muted = true; film.play();"
             "document.getElementById('cursor').remove()")
    clip.motion(2.2)
    clip.write()
    page.browser.quit()


def picture(address, key, path, photos, width, height, dark):
    page = Page(address, width, height, dark)
    page.sign_in(key)
    page.choose(photos)
    page.until("a preview", page.has_preview)
    Select(page.one("#template")).select_by_value("JustListed1")
    page.one("#field-address").send_keys("12 Hillside Lane, Aspen Grove")
    page.one("#field-price").send_keys("$1,249,000")
    page.run("window.scrollTo({top: 0}); document.activeElement.blur()")
    time.sleep(2)
    path.write_bytes(page.browser.get_screenshot_as_png())
    page.browser.quit()


def main():
    address, key, directory, *photos = sys.argv[1:]
    directory = pathlib.Path(directory)
    record(address, key, directory, photos)
    picture(address, key, directory / "page.png", photos, 1440, 900, dark=False)
    picture(address, key, directory / "page-phone.png", photos, 390, 844, dark=True)


main()
