// What a real browser makes of the page of --html.

#include "softhsm-tests/e2e_html.h"

using namespace p11mime::test;
using Catch::Contains;

TEST_CASE("the page of a sealed mail has seal and lock, and asks for nothing, in Chromium", "[e2e]") {
    if (no_browser()) return;
    const Reader reader;
    reader.page_of(reader.seal());

    Chromium browser;
    browser.show(reader.page);
    CHECK(browser.complaints().empty());
    CHECK(browser.requests() == std::vector<std::string>{"file://" + reader.page});
    const auto told = browser.accessible();
    CAPTURE(told);
    CHECK(any_contains(told, "heading: Encrypted, and signed by Alice <alice@example.gov>, unchanged"));
    CHECK(any_contains(told, "image: Signed: good"));
    CHECK(any_contains(told, "image: Encrypted: good"));
    CHECK(any_contains(told, "heading: Message"));
    CHECK(any_contains(told,
                       "StaticText: Gr\xc3\xbc\xc3\x9f"
                       "e aus K\xc3\xb6ln!"));
    CHECK(browser.evaluate("document.documentElement.lang") == "en");
    CHECK(browser.evaluate("['header','main','footer'].every(name => document.querySelectorAll(name).length == 1)") ==
          true);

    // Behind the seal: the chain, root last. A screen reader is told of it too.
    browser.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)");
    CHECK(any_contains(browser.accessible(), "Chain of certificates"));
    const std::string names =
        browser.evaluate("[...document.querySelectorAll('.chain .name')].map(e => e.textContent).join(' > ')");
    CHECK_THAT(names, Catch::StartsWith("Alice > ") && Catch::EndsWith("Root"));

    const auto box = browser.evaluate(
        "(() => { const box = document.querySelector('.verdict .seal').getBoundingClientRect(); return box.width > 30 "
        "&& box.height > 30; })()");
    CHECK(box == true);
    const auto colours = browser.colours(browser.screenshot());
    CHECK(colours.size() > 20);
    const auto count = [&](const char* colour) { return colours.contains(colour) ? colours.at(colour) : 0; };
    CHECK(count("#0b6b34") > 1000);  // seal, lock and headline
    CHECK(count("#e8f5ed") > 1000);  // what they stand on
}

TEST_CASE("whatever got into the page all the same, its policy lets it neither run nor fetch nor dress up", "[e2e]") {
    if (no_browser()) return;
    const Reader reader;
    const std::string page = reader.page_of(reader.sign(kText));
    write_file(reader.page, replaced(page, "<main>",
                                     "<main><script>document.title = 'owned'</script><style>h1 { display: none }"
                                     "</style><img src=http://127.0.0.1:9/beacon.png><p id=p style='color: red'>"));
    Chromium browser;
    browser.show(reader.page);
    CHECK(browser.evaluate("document.title") != "owned");
    CHECK(browser.evaluate("getComputedStyle(document.querySelector('h1')).display") == "block");
    CHECK(browser.evaluate("getComputedStyle(document.querySelector('#p')).color") != "rgb(255, 0, 0)");
    CHECK(browser.evaluate("document.querySelector('img').naturalWidth") == 0);
    for (const char* refused : {"script-src", "style-src", "img-src"})
        CHECK(any_contains(browser.complaints(), refused));
}

TEST_CASE("a page that asks for something or complains would be noticed", "[e2e]") {
    if (no_browser()) return;
    const TemporaryDirectory directory;
    write_file(directory / "bad.html",
               "<!DOCTYPE html><meta http-equiv=Content-Security-Policy content=\"script-src 'none'\">"
               "<img src=http://127.0.0.1:9/beacon.png><script>alert(1)</script>");
    Chromium browser;
    browser.show(directory / "bad.html");
    CHECK(any_contains(browser.requests(), "http://127.0.0.1:9/beacon.png"));
    CHECK(any_contains(browser.complaints(), "Content Security Policy"));
}

TEST_CASE("hostile content stays text on the page", "[e2e]") {
    if (no_browser()) return;
    const Reader reader;
    const std::string hostile =
        "Hello</pre><script>document.title='owned'</script><style>body{display:none}</style>\r\n"
        "<img src=http://127.0.0.1:9/beacon.png onerror=alert(1)><meta http-equiv=refresh "
        "content='0;url=http://127.0.0.1:9/'>\r\n"
        "\xe2\x80\xae"
        "evil\x1b[2J &lt; <a href=http://127.0.0.1:9/>x</a> </article></main><svg onload=alert(1)>\r\n";
    const std::string entity =
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" +
        text_entity(hostile, "text/plain; charset=\"utf-8\"") + "\r\n--b\r\n" +
        text_entity("<b>rich</b><script>alert(2)</script>", "text/html; charset=utf-8") +
        "\r\n--b\r\nContent-Type: application/x-\"><script>; name=\"a\\\"><img src=x>.pdf\"\r\n"
        "Content-Disposition: attachment; filename=\"a\\\"><img src=x>.pdf\"\r\n\r\nx\r\n--b--\r\n";
    const std::string text = replaced(mail(reader.alice.email, "\"</dd><script>\" <bob@example.org>", entity),
                                      "Subject: ", "Subject: </title><script>alert(3)</script> ");
    const std::string page = reader.page_of(text);
    CHECK_THAT(page, Contains("<title>") && !Contains("<title>&lt;/title"));  // the verdict comes first
    CHECK_THAT(page, Contains("\\u{202e}evil\\x1b[2J &amp;lt;"));
    CHECK_THAT(page, !Contains("<script") && !Contains("<img") && !Contains("rich") && !Contains("\x1b"));

    Chromium browser;
    browser.show(reader.page);
    CHECK(browser.complaints().empty());
    CHECK(browser.requests() == std::vector<std::string>{"file://" + reader.page});
    CHECK(browser.evaluate("document.querySelectorAll('script,img,iframe,object,embed,link,base,form,a,meta[http-equiv="
                           "refresh],[onload],[onerror]').length") == 0);
    CHECK(browser.evaluate("document.querySelectorAll('style').length") == 1);
    const std::string shown = browser.evaluate("document.body.innerText");
    CHECK_THAT(shown, Contains("Hello</pre><script>document.title='owned'</script>"));
    CHECK_THAT(shown, Contains("a\"><img src=x>.pdf"));
    CHECK_THAT(shown, Contains("is not shown: it could hide"));
    CHECK_THAT(browser.evaluate("document.title").get<std::string>(), Contains("</title><script>alert(3)</script>"));
}

TEST_CASE("nothing on the page is wider than a phone", "[e2e]") {
    if (no_browser()) return;
    Reader reader;
    const Identity long_name =
        reader.office.employ({.name = std::string(60, 'N'),
                              .email = std::string(60, 'n') + "@" + std::string(60, 'e') + ".example.gov",
                              .kind = KeyKind::p256});
    const std::string entity = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" +
                               text_entity(std::string(900, 'w')) +
                               "\r\n--b\r\nContent-Type: application/octet-stream; name=" + std::string(300, 'f') +
                               "\r\nContent-Disposition: attachment\r\n\r\nx\r\n--b--\r\n";
    const std::string signed_mail =
        done(reader.office.desk.p11mime({"sign"}, replaced(mail(long_name.email, "bob@example.org", entity),
                                                           "Subject: ", "Subject: " + std::string(500, 's'))));
    reader.page_of(signed_mail);
    Chromium browser;
    browser.resize(390, 844, true);
    browser.show(reader.page);
    browser.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)");
    CHECK(browser.evaluate("window.innerWidth") == 390);
    CHECK(browser.evaluate("document.documentElement.scrollWidth") == 390);
    CHECK(browser.evaluate("[...document.querySelectorAll('body *')].filter(e => !e.closest('svg') && "
                           "e.getBoundingClientRect().right > 390.5).map(e => e.outerHTML.slice(0, 80)).join()") == "");
}

TEST_CASE("text on the page, in pictures too, is large enough for a narrow phone", "[e2e]") {
    if (no_browser()) return;
    const Reader reader;
    const std::string signed_mail = reader.sign(kText);
    Chromium browser;
    browser.resize(320, 640, true);
    const auto check = [&] {
        browser.show(reader.page);
        browser.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)");
        CHECK(browser.evaluate("document.documentElement.scrollWidth") == 320);
        CHECK(browser.evaluate("document.querySelectorAll('.chain text').length > 3") == true);
        const double least = browser
                                 .evaluate(R"js(Math.min(...[...document.querySelectorAll('body *')]
  .filter(e => (!e.closest('svg') || e.tagName == 'text') && [...e.childNodes].some(n => n.nodeType == 3 && n.data.trim()))
  .map(e => parseFloat(getComputedStyle(e).fontSize) * (e.tagName == 'text' ? e.getScreenCTM().a : 1))))js")
                                 .get<double>();
        CHECK(least >= 12);
        CHECK(browser.evaluate("[...document.querySelectorAll('.box .role, .box .note')].filter(e => "
                               "e.getBoundingClientRect().right > e.parentElement.querySelector('rect')"
                               ".getBoundingClientRect().right - 3).map(e => e.textContent).join()") == "");
    };
    reader.page_of(reader.seal());
    check();
    reader.office.desk.p11mime({"open", "-n", "--html", reader.page, "--no-default-ca"}, signed_mail);
    check();
    reader.office.desk.p11mime(
        {"open", "-n", "--html", reader.page, "--no-default-ca", "--intermediates", reader.office.desk.path("ca.pem")},
        signed_mail);
    check();
}

TEST_CASE("text on the page differs from what it stands on by a contrast of 4.5 or more", "[e2e]") {
    if (no_browser()) return;
    const Reader reader;
    const std::string signed_mail = reader.sign(kText);
    const std::string changed = replaced(signed_mail, "second", "third");
    Chromium browser;
    const auto lowest = [&] {
        browser.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)");
        return browser
            .evaluate(R"js((() => {
  const channels = text => text.match(/[\d.]+/g).map(Number);
  const luminance = c => { const [r, g, b] = c.slice(0, 3).map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = e => { for (; e; e = e.parentElement) { const c = channels(getComputedStyle(e).backgroundColor);
    if (c.length == 3 || c[3] > 0) return c; } return [255, 255, 255]; };
  let lowest = 21;
  for (const e of document.querySelectorAll('body *')) {
    if (e.closest('svg') || ![...e.childNodes].some(n => n.nodeType == 3 && n.data.trim())) continue;
    const [a, b] = [luminance(channels(getComputedStyle(e).color)), luminance(ground(e))];
    lowest = Math.min(lowest, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
  }
  return lowest; })())js")
            .get<double>();
    };
    reader.page_of(signed_mail);
    browser.show(reader.page);
    CHECK(lowest() >= 4.5);
    reader.page_of(signed_mail, 3, {"-n", "--at", "2001-01-01T00:00:00Z"});
    browser.show(reader.page);
    CHECK(lowest() >= 4.5);
    reader.page_of(changed, 1);
    browser.show(reader.page);
    CHECK(lowest() >= 4.5);
    reader.page_of(mail(reader.alice.email, "bob@example.org"));
    browser.show(reader.page);
    CHECK(lowest() >= 4.5);
    reader.page_of(mail(reader.alice.email, "bob@example.org",
                        "Content-Type: message/rfc822\r\n\r\n" + mail("bob@example.org", reader.alice.email)));
    browser.show(reader.page);
    CHECK(lowest() >= 4.5);
}
