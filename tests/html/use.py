# SPDX-License-Identifier: Apache-2.0
#
# What a person does with an HTML report: usage: use.py DIRECTORY, where browser.sh left reports.
import json
import os
import sys

import browser
import documents

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
    that(page.run("document.querySelectorAll('#findings .item').length") == 300, "300 findings are listed")
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
    that(page.run("document.querySelectorAll('#findings .item:not([open]) .body').length") == 0, "what is folded is not made yet")


def filter_findings(page):
    shown = "[...document.querySelectorAll('#findings .item')].filter((item) => !item.hidden).length"
    page.run("document.querySelector('#filter').focus()")
    page.type("double-free")
    that(page.run(shown) == 75, "75 of the findings are double frees, not %s" % page.run(shown))
    that("75 of" in page.run("document.querySelector('#filtered').textContent"), "the filter says how many")
    page.press("Escape")
    that(page.run(shown) == 300, "Escape ends the filter")
    page.click("#unfold")
    that(page.run("document.querySelectorAll('#findings .item[open]').length") == 300, "all are unfolded")
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
    that(focused(page, "textContent") in ("Bytes at the peak", "Bytes near the peak"), "arrow keys change the tab")
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
    that(page.run("document.querySelectorAll('#growth .item').length") >= 1, "a stack that grows is listed")
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


def fit_on_a_telephone(page, directory):
    for report in ("many.html", "golden/hostile.html", "golden/plant.html", "clean.html", "made/overflow.html",
                   "made/changed.html", "made/far.html", "made/heap.html"):
        for width in (320, 390):
            open_report(page, report, width=width, height=800)
            that(page.run("document.documentElement.scrollWidth") <= width, "%s fits in %d" % (report, width))
            outside = page.run("""[...document.querySelectorAll('svg.slot *')].filter((one) => {
                const box = one.getBoundingClientRect(), all = one.closest('svg').getBoundingClientRect();
                return box.left < all.left - 1 || box.right > all.right + 1; }).map((one) => one.outerHTML)""")
            that(outside == [], "%s draws all of the block in %d: %s" % (report, width, outside))
        page.screenshot(os.path.join(directory, "phone-" + os.path.basename(report)[:-5] + ".png"))


def stay_harmless(page):
    open_report(page, "golden/hostile.html")
    page.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    text = page.run("document.body.innerText")
    for name in ("<script>alert(1)</script>", "<script>alert(3)</script>", "<img src=x onerror=alert(1)>",
                 "]]></script><script>alert(2)</script>", "\\x1b[2J", "</pre><b>\ufffd"):
        that(name in text, "the hostile report shows " + name)
    that(page.run("document.scripts.length") == 2, "it has the two scripts of every report")
    that(page.run("document.querySelectorAll('img, b:not(.readout b), iframe, a:not([href^=\"#\"])').length") == 0,
         "and no element from a name")
    that(page.run("document.querySelectorAll('.flame > div').length") > 1, "its flame graph is drawn")


def read_without_script(page, directory):
    for report, text in (("many.html", "fencepost: heap-buffer-overflow"), ("clean.html", "fencepost: no errors, no leaks"),
                         ("golden/hostile.html", "<script>alert(3)</script>"), ("golden/several.html", "in copy_row")):
        open_report(page, report, script=False)
        that(page.run("document.querySelectorAll('.flame, details, h1').length") == 0, "the script did not run")
        that(text in page.run("document.querySelector('#text').innerText"), "the text of %s can be read" % report)
        that(page.run("document.querySelector('#text').getBoundingClientRect().height") > 10, "and is seen")
        that(page.run("document.querySelectorAll('#text *, img').length") == 0, "and is nothing but text")
    page.screenshot(os.path.join(directory, "text.png"))
    open_report(page, "many.html")
    that(page.run("document.querySelector('#text')") is None, "with scripts the text is not there")


# Reports made up by documents.py.

def made(page, name, **view):
    open_report(page, "made/%s.html" % name, **view)


def texts(page, selector):
    return page.run("[...document.querySelectorAll(%s)].map((one) => one.textContent)" % json.dumps(selector))


def see_an_overflow(page, directory):
    made(page, "overflow")
    that(texts(page, "svg.slot text.marker") == ["write, 1 past the end"], "the mark says where it is")
    # Two strips: guard, padding, guard; block, padding, guard beside it, and the hit in both.
    parts = page.run("[...document.querySelectorAll('svg.slot rect')].map((one) => one.getAttribute('class'))")
    that(parts.count("hit") == 2 and parts.count("block") == 2 and "padding" in parts, "what is drawn: %s" % parts)
    that("block, 45 bytes" in texts(page, "svg.slot text"), "the block is named")
    at = page.run("""(() => { const all = [...document.querySelectorAll('svg.slot rect')];
        const lower = all.filter((one) => one.y.baseVal.value > 60);
        const find = (name) => lower.find((one) => one.getAttribute('class') === name);
        const hit = find('hit').x.baseVal.value, block = find('block');
        return (hit - block.x.baseVal.value) / block.width.baseVal.value; })()""")
    that(abs(at - 46 / 45) < 0.01, "the hit is drawn 46 bytes from the start: %s" % at)
    that(texts(page, "#finding-1 .title") == ["Written", "Allocated"], "its stacks are named")
    that(texts(page, "#finding-1 .function") == ["meet", "meet", "main", "make", "main"], "its frames are there")
    page.screenshot(os.path.join(directory, "overflow.png"))
    made(page, "changed")
    that(texts(page, "#finding-1 .title") == ["Found while it was freed", "Allocated"], "one stack is not told twice")
    that(texts(page, "#finding-1 .place")[0].startswith("written between the allocation at made.c:1 make and the free at made.c:1 "),
         "when they were changed is told: %s" % texts(page, "#finding-1 .place"))
    that(texts(page, "svg.slot text.marker") == ["changed bytes, 0 past the end"], "changed bytes are marked")
    that("45  78 78  xx" in texts(page, "#finding-1 pre.bytes")[0], "and shown")


def see_a_use_after_free(page):
    made(page, "freed")
    that(texts(page, "#finding-1 .title") == ["Read", "Freed", "Allocated"], "its stacks are told from the last")
    that(page.run("document.querySelectorAll('svg.slot rect.freed').length") >= 1, "the block is drawn as freed")
    that("let_go" in texts(page, "#finding-1 .function"), "who freed it is told")
    that("by thread 2" in page.run("document.querySelectorAll('#finding-1 .stack > summary')[1].textContent"), "and in which thread")


def see_who_holds_it(page, directory):
    made(page, "held")
    whole = page.run("document.querySelector('#finding-1 .holders').textContent")
    that(len(page.run("[...document.querySelectorAll('#finding-1 svg.held rect.holder')].map((one) => one.className.baseVal)")) == 3,
         "each holder is drawn")
    that(texts(page, "#finding-1 svg.held text")[0] == "a_name_that_is_much_longer_than_a_box_i\u2026", "a long name is cut")
    that(texts(page, "#finding-1 svg.held text")[-1] == "block of 45 bytes", "and what they point to")
    that("And 1,000 other pointers." in whole, "those that are not listed are counted: " + whole)
    that("More may hold it, because not all was searched: time was up." in whole, "what was not searched is told: " + whole)
    for item in ("leak-1", "leak-2"):
        page.run("document.querySelector('#%s').open = true" % item)
    that("Nothing that the program can still reach holds it." in page.run("document.querySelector('#leak-1').textContent"),
         "nobody holds a definite leak")
    that(texts(page, "#leak-1 .members li")[0].startswith("Depth 1: 2 blocks, 20 bytes ") and
         "first" in texts(page, "#leak-1 .members li")[0], "what hangs from it is told by depth: %s" % texts(page, "#leak-1 .members li"))
    that(texts(page, "#leak-1 .members li")[1].startswith("Depth 8 or more: 9 blocks, 90 bytes ") and
         texts(page, "#leak-1 .members li")[2] == "1 other block", "to the last")
    path = texts(page, "#leak-2 .path li")
    that(path[0] == "<i>cache</i>+8 (up)" and path[3] == "7 more blocks" and len(path) == 6, "the path is told from the root on: %s" % path)
    that(texts(page, "#leak-2 svg.held text")[1] == "one of the blocks", "its end is drawn: %s" % texts(page, "#leak-2 svg.held text"))
    page.screenshot(os.path.join(directory, "held.png"))


def see_a_crash(page):
    made(page, "crash")
    that(texts(page, "#finding-1 .title") == ["Read"], "the access is told: %s" % texts(page, "#finding-1 .title"))
    that(texts(page, "#finding-1 .facts dd")[:3] == ["SIGSEGV", "wild-address", "<b>it failed</b>"], "and its cause")
    that(texts(page, ".registers dd") == ["0x7100 <i>wild</i>", "0x1"], "registers are there: %s" % texts(page, ".registers dd"))
    for where in ("224 bytes past the end of", "8 bytes before", "3 bytes inside"):
        that("That is %s a block of 16 bytes" % where in page.run("document.querySelector('#finding-1').textContent"),
             "a block nearby is told: " + where)


def list_many_leaks(page):
    made(page, "leaks")
    drawn = "document.querySelectorAll('#leaks .item').length"
    that(page.run(drawn) == 500, "the first leaks are drawn: %s" % page.run(drawn))
    that(page.run("document.querySelectorAll('#leaks .body').length") == 0, "and no more than their lines")
    that([text[:6] for text in texts(page, "#leaks .item .place")[:4]] == ["made.c"] * 4, "places are named")
    that([int(text.split("leak_")[1]) for text in texts(page, "#leaks .item .place")[:4]] == [0, 1, 2, 3],
         "they are in the order of their size, whosever they are")
    page.click("#leaks .more-items")
    that(page.run(drawn) == 5500, "more are drawn when they are asked for")
    page.run("document.querySelector('#filter').focus()")
    page.type("leak_29999")
    that(texts(page, "#leaks .item .function") == ["leak_29999"], "the filter finds what was not drawn")
    that("1 of 30,000" in page.run("document.querySelector('#filtered').textContent"), "and says of how many")
    page.run("location.hash = 'leak-700'")
    page.settle()
    that(page.run("document.querySelector('#leak-700').open"), "a link leads to one that the filter had left out")
    made(page, "possible")
    that("3 blocks with 300 bytes are possibly leaked" in texts(page, ".possible > summary")[0], "possible leaks are summed up")
    that(not page.run("document.querySelector('.possible').open"), "and folded")
    page.click(".possible > summary")
    that(page.run("document.querySelector('#possible-1').getBoundingClientRect().height") > 10, "and can be seen")


def see_the_heap(page):
    made(page, "heap")
    value = "document.querySelector('.timeline').getAttribute('aria-valuetext')"
    page.run("document.querySelector('.timeline').focus()")
    page.press("Home")
    said = [page.run(value).split(" ")[0]]
    for _ in range(7):
        page.press("ArrowRight")
        said.append(page.run(value).split(" ")[0])
    that(said == ["100", "300", "900", "800", "500", "200", "150", "100"] or
         said == ["100", "300", "800", "900", "500", "200", "150", "100"], "the line has no notches: %s" % said)
    that(texts(page, "[role=tab]") == ["Bytes near the peak"], "what is not the peak is not called so")
    that(texts(page, ".flame > div") == ["Bytes near the peak, 800 bytes", "main", "(smaller stacks)", "at_the_peak"],
         "the stacks are those of the largest picture: %s" % texts(page, ".flame > div"))
    that("800 bytes of 1,000 bytes" in page.run("document.body.textContent"), "and it is told how large that was")
    made(page, "templates")
    that(texts(page, ".flame > div")[1:] == ["main", "fill(std::ostream& operator<<<\u2026>)", "std::vector<\u2026>::push_back",
         "(the C++ library)", "operator new"], "templates and run times are folded: %s" % texts(page, ".flame > div"))
    that("<std::pair<int, int> >" in page.run("document.querySelector('.flame > div:nth-child(4)').getAttribute('aria-label')"),
         "and the whole name is told")
    that(texts(page, "#leak-1 .place") == ["made.c:1 fill(std::ostream& operator<<<\u2026>), called from main.cc:31 main"],
         "so they are where it happened, with who called it from another file: %s" % texts(page, "#leak-1 .place"))
    page.click("#leak-1 > summary")
    that(texts(page, "#leak-1 .run > summary") == ["2 frames of the C++ library"], "as they are in stacks")
    that("__libc_start_main" not in page.run("document.querySelector('#leak-1').textContent"), "which end at main")


def see_merged_reports(page):
    made(page, "merged")
    that(texts(page, "h1") == ["1,005 merged reports"], "merged reports are counted")
    that("In 3 of 1,005 sources" in texts(page, "#finding-1 summary"), "a finding tells its sources")
    that("those of log.4, whose heap was the largest of 1,005" in page.run("document.body.textContent"), "the line is of one")
    that("and 1,000 more" in page.run("document.querySelector('#run').textContent"), "not all sources are named")


def stay_harmless_whatever_it_says(page):
    made(page, "hostile")
    page.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.settle()
    text = page.run("document.body.textContent")
    for name in ("</script><script>alert(1)</script>", "<img src=x onerror=alert(2)>", "a\\u2028b\\u202ec\\x07", "__proto__"):
        that(name in text, "the page shows " + name)
    that(page.run("document.querySelectorAll('img, iframe, a:not([href^=\"#\"]), .item.__proto__').length") == 0, "no element from a name")
    that(page.run("document.scripts.length") == 2, "no script from one")
    that(page.run("[...document.querySelectorAll('*')].every((one) => [...one.attributes].every((a) => !a.name.startsWith('on')))"),
         "and no handler")
    that(len(texts(page, "#finding-1 pre mark")) == 1, "its source is shown")


def move_little(page):
    for motion, behaviour in (("no-preference", "smooth"), ("reduce", "auto")):
        made(page, "empty", motion=motion)
        that(page.run("getComputedStyle(document.documentElement).scrollBehavior") == behaviour, "%s is %s" % (motion, behaviour))
    that("No findings." in page.run("document.body.innerText") and "No leaks." in page.run("document.body.innerText"),
         "nothing is said to be nothing")
    that("no record of the heap" in page.run("document.body.innerText"), "nor is there a chart")


def look_at_small_reports(page):
    open_report(page, "one.html")
    that(page.run("document.querySelectorAll('#findings .item').length") == 1, "one finding is one")
    that(page.run("document.querySelector('#filter')") is None, "and needs no filter")
    open_report(page, "clean.html")
    that("No findings." in page.run("document.body.innerText"), "no finding is said to be none")
    that(page.run("document.querySelector('#growth')") is None, "growth that nobody asked for is not there")
    open_report(page, "golden/several.html")
    that(page.run("document.querySelectorAll('#run .process').length") == 3, "three processes are three")
    that(page.run("document.querySelectorAll('.flame > [aria-level=\"2\"]').length") >= 2,
         "the flame graph has a box for each")


def main(directory):
    os.chdir(directory)
    os.mkdir("made")
    for name, report in documents.MADE.items():
        documents.write("clean.html", "made/%s.html" % name, report)
    page = browser.Browser(browser.find())
    try:
        open_report(page, "many.html")
        unfold_by_mouse_and_keyboard(page)
        filter_findings(page)
        use_flame(page)
        use_timeline(page)
        see_what_grows(page, directory)
        look_in_light_and_dark(page, directory)
        fit_on_a_telephone(page, directory)
        stay_harmless(page)
        that(page.complaints == [], "the browser complains: %s" % page.complaints[:3])
        look_at_small_reports(page)
        see_an_overflow(page, directory)
        see_a_use_after_free(page)
        see_a_crash(page)
        see_who_holds_it(page, directory)
        list_many_leaks(page)
        see_the_heap(page)
        see_merged_reports(page)
        stay_harmless_whatever_it_says(page)
        move_little(page)
        that(page.complaints == [], "the browser complains: %s" % page.complaints[:3])
        read_without_script(page, directory)
    finally:
        page.close()
    print("%d not so" % len(failures) if failures else "all as it should be")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
