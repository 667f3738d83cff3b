# SPDX-License-Identifier: Apache-2.0
#
# What a person does with an HTML report: usage: use.py DIRECTORY, where browser.sh left reports.
import os
import sys

import browser

failures = []


def that(holds, what):
    if not holds:
        failures.append(what)
        print("not so: " + what)


def open_report(page, path, **view):
    page.view(**view)
    page.open(path)
    that(page.requests == ["file://" + os.path.abspath(path)], "%s asks for %s" % (path, page.requests))


def focused(page, property):
    return page.run("document.activeElement." + property)


def unfold_by_mouse_and_keyboard(page):
    that(page.run("document.querySelectorAll('#findings > .item').length") == 300, "300 findings are listed")
    that(page.run("document.querySelector('#finding-1').open"), "the first finding is unfolded")
    that(not page.run("document.querySelector('#finding-2').open"), "the second is not")
    page.click("#finding-2 > summary")
    that(page.run("document.querySelector('#finding-2').open"), "a click unfolds it")
    page.run("document.querySelector('#finding-3 > summary').focus()")
    page.press("Enter")
    that(page.run("document.querySelector('#finding-3').open"), "Enter unfolds the third")
    page.press("Tab")
    that(focused(page, "closest('#finding-3') !== null"), "Tab goes on into it")
    that(page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid", "what has the focus is seen")
    page.click("#finding-3 .stack > summary")
    that(not page.run("document.querySelector('#finding-3 .stack').open"), "a stack folds")
    that(page.run("document.querySelectorAll('#finding-1 svg.slot rect.hit').length") == 2,
         "the hit is drawn in both strips")
    that("block[4096 + 16] = 1;" in page.run("document.querySelector('#finding-1 pre mark').textContent"),
         "the line of source is marked")
    page.run("location.hash = 'finding-200'")
    page.settle()
    that(page.run("document.querySelector('#finding-200').open"), "a link to a finding unfolds it")


def filter_findings(page):
    shown = "[...document.querySelectorAll('#findings > .item')].filter((item) => !item.hidden).length"
    page.run("document.querySelector('#filter').focus()")
    page.type("double-free")
    that(page.run(shown) == 75, "75 of the findings are double frees, not %s" % page.run(shown))
    that("75 of" in page.run("document.querySelector('#filtered').textContent"), "the filter says how many")
    page.press("Escape")
    that(page.run(shown) == 300, "Escape ends the filter")
    page.click("#unfold")
    that(page.run("document.querySelectorAll('#findings > .item[open]').length") == 300, "all are unfolded")
    page.click("#fold")
    that(page.run("document.querySelectorAll('.item[open]').length") <= 1, "all are folded")


def use_flame(page):
    boxes = "document.querySelectorAll('.flame > div').length"
    widest = "Math.max(...[...document.querySelectorAll('.flame > div')].map((box) => box.offsetWidth))"
    that(page.run(boxes) > 20, "the flame graph has boxes")
    that(page.run(widest) <= page.run("document.querySelector('.flame').clientWidth"), "they stay inside")
    page.run("document.querySelector('.flame > [tabindex=\"0\"]').focus()")
    for key in ("ArrowDown", "ArrowDown", "ArrowDown"):
        page.press(key)
    that(focused(page, "getAttribute('aria-level')") == "4", "ArrowDown goes inwards")
    page.press("ArrowRight")
    page.press("ArrowLeft")
    name = focused(page, "getAttribute('aria-label')")
    that(name in page.run("document.querySelector('.chart .readout b').textContent") or
         name.split(",")[0] == page.run("document.querySelectorAll('.chart .readout b')[1].textContent"),
         "what has the focus is read out")
    page.press("Enter")
    that(page.run("document.querySelectorAll('.flame > .above').length") == 3, "Enter zooms in")
    that(focused(page, "getAttribute('aria-label')") == name, "and keeps the focus")
    page.press("Escape")
    that(page.run("document.querySelectorAll('.flame > .above').length") == 2, "Escape zooms out")
    page.click(".bar > button:not([aria-pressed])")
    that(page.run("document.querySelectorAll('.flame > .above').length") == 0, "the button zooms out")
    page.run("document.querySelector('.bar input').focus()")
    page.type("descend")
    that(page.run("document.querySelectorAll('.flame > .found').length") > 5, "a search marks boxes")
    that("% of the bytes" in page.run("document.querySelector('.bar output').textContent"), "and says how much it is")
    page.press("Escape")
    that(page.run("document.querySelectorAll('.flame > .found').length") == 0, "Escape ends the search")
    page.run("document.querySelector('[role=tab]').focus()")
    page.press("ArrowRight")
    that(focused(page, "textContent") == "Bytes at the peak", "arrow keys change the tab")
    that(page.run("[...document.querySelectorAll('.flame > div')].some((box) => box.textContent === 'come_and_go')"),
         "the peak has what was freed again")
    page.click(".flame > div:nth-child(2)")


def use_timeline(page):
    value = "document.querySelector('.timeline').getAttribute('aria-valuetext')"
    page.run("document.querySelector('.timeline').focus()")
    page.press("End")
    last = page.run(value)
    page.press("Home")
    that(page.run(value) != last, "Home and End move along the timeline")
    page.press("ArrowRight")
    that(page.run("document.querySelector('.timeline').getAttribute('aria-valuenow')") == "1", "ArrowRight, too")
    that(page.run("document.querySelectorAll('.timeline .live').length") == 1, "there is a line")


def see_what_grows(page, directory):
    open_report(page, "grows.html" if os.path.exists("grows.html") else "golden/plant.html")
    that(page.run("document.querySelectorAll('#growth > .item').length") >= 1, "a stack that grows is listed")
    page.click("#growth-1 > summary")
    that(page.run("document.querySelector('#growth-1 svg.rise').getBoundingClientRect().height") > 40,
         "its way up is drawn")
    lines = "document.querySelectorAll('.timeline .growing').length"
    that(page.run(lines) == page.run("document.querySelectorAll('.lines li').length"), "each line has its name")
    that(page.run(lines) >= 1, "the timeline has a line of it")
    height = "document.querySelector('.timeline .growing').getBBox().height"
    before = page.run(height)
    page.run("document.querySelector('.bar button[aria-pressed]').focus()")
    page.press("Enter")
    that(page.run("document.querySelector('.bar button[aria-pressed]').getAttribute('aria-pressed')") == "true",
         "Enter scales the chart to what grows")
    that(page.run(height) > before, "and the line is higher")
    page.screenshot(os.path.join(directory, "growth.png"), whole=False)
    page.press("Enter")
    that(page.run(height) == before, "Enter scales it back")
    page.click(".lines a")
    that(page.run("location.hash") == "#growth-1", "the name leads to the stack")
    that(page.run("[...document.querySelectorAll('[role=tab]')].some((tab) => tab.textContent === 'Bytes grown')"),
         "there is a flame graph of it")


def look_in_light_and_dark(page, directory):
    colours = {}
    for scheme in ("light", "dark"):
        open_report(page, "many.html", scheme=scheme)
        colours[scheme] = page.run("getComputedStyle(document.body).backgroundColor")
        picture = os.path.join(directory, scheme + ".png")
        page.screenshot(picture, whole=False)
        that(os.path.getsize(picture) > 20000, "there is something on the picture in " + scheme)
    that(colours["light"] != colours["dark"], "light and dark differ")


def fit_on_a_telephone(page):
    for report in ("many.html", "golden/hostile.html", "golden/plant.html", "clean.html"):
        open_report(page, report, width=390, height=800)
        that(page.run("document.documentElement.scrollWidth") <= 390, report + " fits the width of a telephone")


def stay_harmless(page):
    open_report(page, "golden/hostile.html")
    page.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    text = page.run("document.body.innerText")
    for name in ("<script>alert(1)</script>", "<script>alert(3)</script>", "<img src=x onerror=alert(1)>",
                 "]]></script><script>alert(2)</script>", "\\x1b[2J", "</pre><b>\\xff"):
        that(name in text, "the hostile report shows " + name)
    that(page.run("document.scripts.length") == 2, "it has the two scripts of every report")
    that(page.run("document.querySelectorAll('img, b:not(.readout b), iframe, a:not([href^=\"#\"])').length") == 0,
         "and no element from a name")
    that(page.run("document.querySelectorAll('.flame > div').length") > 1, "its flame graph is drawn")


def read_without_script(page):
    open_report(page, "many.html", script=False)
    that(page.run("document.querySelectorAll('.flame').length") == 0, "the script did not run")
    that("main" in page.run("document.querySelector('#finding-1 .frames').innerText"), "a stack can be read")
    that(page.run("document.querySelector('#finding-1 svg.slot').getBoundingClientRect().height") > 50,
         "the block is drawn")


def look_at_small_reports(page):
    open_report(page, "one.html")
    that(page.run("document.querySelectorAll('#findings > .item').length") == 1, "one finding is one")
    that(page.run("document.querySelector('#filter')") is None, "and needs no filter")
    open_report(page, "clean.html")
    that("No findings." in page.run("document.body.innerText"), "no finding is said to be none")
    that(page.run("document.querySelector('#growth')") is None, "growth that nobody asked for is not there")
    open_report(page, "golden/several.html")
    that(page.run("document.querySelectorAll('#run > .process').length") == 3, "three processes are three")
    that(page.run("document.querySelectorAll('.flame > [aria-level=\"2\"]').length") >= 2,
         "the flame graph has a box for each")


def main(directory):
    os.chdir(directory)
    page = browser.Browser(browser.find())
    try:
        open_report(page, "many.html")
        unfold_by_mouse_and_keyboard(page)
        filter_findings(page)
        use_flame(page)
        use_timeline(page)
        see_what_grows(page, directory)
        look_in_light_and_dark(page, directory)
        fit_on_a_telephone(page)
        stay_harmless(page)
        that(page.complaints == [], "the browser complains: %s" % page.complaints[:3])
        look_at_small_reports(page)
        that(page.complaints == [], "the browser complains: %s" % page.complaints[:3])
        read_without_script(page)
    finally:
        page.close()
    print("%d not so" % len(failures) if failures else "all as it should be")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
