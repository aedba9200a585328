#include "mime/address.h"

#include <catch2/catch.hpp>

#include "mime/charset.h"

using namespace p11mime::mime;

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs pairs(std::string_view field) {
    Pairs found;
    for (const Address& address : parse_addresses(field))
        found.emplace_back(address.display_name, address.mailbox);
    return found;
}

}  // namespace

// The fields of RFC 5322 appendix A, read as python's email package reads them.
TEST_CASE("the address fields of RFC 5322 appendix A are read") {
    CHECK(pairs("\"Joe Q. Public\" <john.q.public@example.com>") ==
          Pairs{{"Joe Q. Public", "john.q.public@example.com"}});
    CHECK(pairs("Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>") ==
          Pairs{{"Mary Smith", "mary@x.test"}, {"", "jdoe@example.org"}, {"Who?", "one@y.test"}});
    CHECK(pairs("<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>") ==
          Pairs{{"", "boss@nil.test"}, {"Giant; \"Big\" Box", "sysservices@example.net"}});
    CHECK(pairs("A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,\r\n"
                "         joe@example.org,\r\n  John <jdoe@one.test> (my dear friend); (the end of the group)") ==
          Pairs{{"Chris Jones", "c@public.example"}, {"", "joe@example.org"}, {"John", "jdoe@one.test"}});
    CHECK(pairs("Undisclosed recipients:;").empty());
    CHECK(pairs("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>") ==
          Pairs{{"Pete", "pete@silly.test"}});
    CHECK(pairs("Mary Smith <@node.test,@b.test:mary@example.net>, , jdoe@test  . example") ==
          Pairs{{"Mary Smith", "mary@example.net"}, {"", "jdoe@test.example"}});
    CHECK(pairs("John Q. Public <\"john q\"@example.org>") == Pairs{{"John Q. Public", "\"john q\"@example.org"}});
    CHECK(pairs("\"j\\\"x\" <\"j\\\"x\"@example.org>") == Pairs{{"j\"x", "\"j\\\"x\"@example.org"}});
}

TEST_CASE("quotes around a local part stay only where they are needed") {
    CHECK(pairs("\"alice\"@example.gov") == Pairs{{"", "alice@example.gov"}});
    CHECK(pairs("\"alice.b\" . c@example.gov") == Pairs{{"", "alice.b.c@example.gov"}});
    CHECK(pairs("\"a@b\"@example.gov") == Pairs{{"", "\"a@b\"@example.gov"}});
    CHECK(pairs("\"\"@example.gov") == Pairs{{"", "\"\"@example.gov"}});
    CHECK(pairs("a..b@example.gov") == Pairs{{"", "a..b@example.gov"}});
}

TEST_CASE("domain literals and mailboxes in UTF-8 are kept") {
    CHECK(pairs("alice@[192.0.2.1], \344\274\232@\344\276\213.example") ==
          Pairs{{"", "alice@[192.0.2.1]"}, {"", "\344\274\232@\344\276\213.example"}});
}

TEST_CASE("encoded words are decoded in display names and nowhere else") {
    CHECK(pairs("=?utf-8?Q?J=C3=BCrgen?= =?utf-8?B?w5xiZWw=?= <j@example.org>") ==
          Pairs{{"J\303\274rgen\303\234bel", "j@example.org"}});
    CHECK(pairs("\"=?utf-8?Q?J=C3=BCrgen?=\" <j@example.org>") == Pairs{{"J\303\274rgen", "j@example.org"}});
    CHECK(pairs("=?utf-8?q?alice=40example.gov=2C?= <mallory@example.org>") ==
          Pairs{{"alice@example.gov,", "mallory@example.org"}});
    CHECK(pairs("=?utf-8?b?YWxpY2U=?=@example.org") == Pairs{{"", "=?utf-8?b?YWxpY2U=?=@example.org"}});
    CHECK(pairs("<alice=?utf-8?q?=40example.gov?=@example.org>") ==
          Pairs{{"", "alice=?utf-8?q?=40example.gov?=@example.org"}});
}

TEST_CASE("the address in a display name is not the mailbox") {
    CHECK(pairs("alice@example.gov <mallory@example.org>") == Pairs{{"alice@example.gov", "mallory@example.org"}});
    CHECK(pairs("\"alice@example.gov\" <mallory@example.org>") == Pairs{{"alice@example.gov", "mallory@example.org"}});
    CHECK(pairs("mallory@example.org (alice@example.gov)") == Pairs{{"", "mallory@example.org"}});
    // Two in one place are two.
    CHECK(pairs("<alice@example.gov> <mallory@example.org>") ==
          Pairs{{"", "alice@example.gov"}, {"", "mallory@example.org"}});
}

TEST_CASE("what is no address is left out") {
    for (const char* text :
         {"", "alice", "@example.gov", "alice@", "alice@@example.gov", "a@b@example.gov", "alice bob@example.gov",
          "alice@example..gov", "alice@.gov", "alice@\"example\".gov", "<alice>", "<>", "alice@exam ple.gov",
          "alice@[192.0.2.1\\]]", "\"a\tb\"@example.gov", "a\\b@example.gov"})
        CHECK(pairs(text).empty());
    CHECK(pairs("Doe, John <john@example.gov>") == Pairs{{"John", "john@example.gov"}});
}

TEST_CASE("unfinished addresses end with the field") {
    CHECK(pairs("Alice <alice@example.gov") == Pairs{{"Alice", "alice@example.gov"}});
    CHECK(pairs("Team: alice@example.gov, bob@example.gov").size() == 2);
    CHECK(pairs("alice@example.gov (unclosed").size() == 1);
    CHECK(pairs("\"unclosed <alice@example.gov>").empty());
}

TEST_CASE("pathological address fields are read in a moment") {
    const std::size_t many = 1'000'000;
    CHECK(parse_addresses(std::string(many, '(')).empty());
    CHECK(parse_addresses(std::string(many, '<')).empty());
    CHECK(parse_addresses(std::string(many, '"')).empty());
    CHECK(parse_addresses(std::string(many, ',')).empty());
    std::string words;
    while (words.size() < many)
        words += "=?utf-8?";
    CHECK(parse_addresses(words + " <a@example.gov>").size() == 1);
}

TEST_CASE("mailboxes are compared without case and needless quotes") {
    CHECK(same_mailbox("Alice@EXAMPLE.gov", "alice@example.GOV"));
    CHECK(same_mailbox("\"alice\"@example.gov", "alice@example.gov"));
    CHECK_FALSE(same_mailbox("alice@example.gov", "alice@example.org"));
    CHECK_FALSE(same_mailbox("alice@example.gov", "alice@example.gov.example.org"));
    CHECK_FALSE(same_mailbox("\303\204@example.gov", "\303\244@example.gov"));
}

TEST_CASE("a mailbox is one as a whole, with its quotes kept only where needed") {
    using Pair = std::pair<const char*, const char*>;
    for (const auto& [text, normal] : {Pair{"alice@example.gov", "alice@example.gov"},
                                       {"a..b.@example.gov", "a..b.@example.gov"},
                                       {"alice@[192.0.2.1]", "alice@[192.0.2.1]"},
                                       {"\"alice\"@example.gov", "alice@example.gov"},
                                       {"\"al\\ice\"@example.gov", "alice@example.gov"},
                                       {"\"a b\"@example.gov", "\"a b\"@example.gov"},
                                       {"\"a@example.org\"@example.gov", "\"a@example.org\"@example.gov"},
                                       {"\"\\\"\"@example.gov", "\"\\\"\"@example.gov"}}) {
        CAPTURE(text);
        CHECK(normal_mailbox(text) == normal);
    }
    for (const char* text : {"",
                             "@",
                             "alice",
                             "alice@",
                             "@example.gov",
                             "\"alice\"",
                             "\"alice\"@",
                             "\"alice@example.gov",
                             "\"\\",
                             "\"x\"<alice@example.gov>",
                             "\"x\"<alice@example.gov>@example.org",
                             "<alice@example.gov>\"@example.org\"",
                             "alice@example.gov(\"@example.org",
                             "\"alice\"@example.gov;@example.org",
                             "\"alice\" @example.gov",
                             "g:\"alice\"@example.gov;@example.org",
                             "\"alice\"@example.gov(@example.org",
                             "\"alice\"@example.gov\n",
                             "\"al\nice\"@example.gov",
                             "@example.org:alice@example.gov",
                             "alice@example.gov@example.org",
                             "alice@[192.0.2.1",
                             "alice@[192.0.2.1]x"}) {
        CAPTURE(text);
        CHECK_FALSE(normal_mailbox(text));
        CHECK_FALSE(same_mailbox(text, "alice@example.gov"));
    }
}

TEST_CASE("a plain mailbox is told from everything else") {
    CHECK(is_mailbox("alice@example.gov"));
    CHECK(is_mailbox("\"a b\"@example.gov"));
    for (const char* text : {"alice", "<alice@example.gov>", "Alice <alice@example.gov>", " alice@example.gov",
                             "alice@example.gov,", "alice@example.gov, bob@example.gov", "g:alice@example.gov;", ""})
        CHECK_FALSE(is_mailbox(text));
}

// Charset samples as python's email.header decodes them; white space by the table of RFC 2047 section 8.
TEST_CASE("encoded words are decoded to UTF-8") {
    CHECK(decode_words("=?ISO-8859-1?Q?Andr=E9?= Pirard") == "Andr\303\251 Pirard");
    CHECK(decode_words("=?ISO-8859-1?Q?a?= b") == "a b");
    CHECK(decode_words("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=") == "ab");
    CHECK(decode_words("=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=") == "ab");
    CHECK(decode_words("=?ISO-8859-1?Q?a_b?=") == "a b");
    CHECK(decode_words("=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=") == "a b");
    CHECK(decode_words("=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?= "
                       "=?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=") ==
          "If you can read this you understand the example.");
    CHECK(decode_words("=?utf-8*de?Q?Gr=C3=BC=C3=9Fe?=") == "Gr\303\274\303\237e");
    CHECK(decode_words("=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=") == "\346\227\245\346\234\254");
    CHECK(decode_words("=?koi8-r?B?8NLJ18XU?=") == "\320\237\321\200\320\270\320\262\320\265\321\202");
    CHECK(decode_words("=?windows-1252?Q?=80_100?=") == "\342\202\254 100");
    CHECK(decode_words("=?big5?B?pKSk5Q==?=") == "\344\270\255\346\226\207");
    CHECK(decode_words("=?UTF-8?B?4pyI?= and =?UTF-8?B?4pyI?=") == "\342\234\210 and \342\234\210");
    CHECK(decode_words("=?UTF-8?B?4pyI4g?=\t=?utf-8?Q?=9C=88?=") == "\342\234\210\342\234\210");
    CHECK(decode_words("no words, caf\303\251") == "no words, caf\303\251");
}

TEST_CASE("broken and unknown encoded words stay as they are") {
    for (const char* text :
         {"=?utf-8?Q?=C3?=", "=?x-none?Q?a?=", "=?utf-8?X?a?=", "=?utf-8?Q?=ZZ?=", "=?utf-8?B?!!!?=", "=?utf-8?Q?a",
          "=?utf-8?Q?a b?=", "=?", "=??Q?a?=", "=?utf-8//IGNORE?Q?=C3?=", "=?utf-8?Q?=C3?= =?x-none?Q?a?="})
        CHECK(decode_words(text) == text);
    CHECK(decode_words("=?utf-8?Q?a?= =?utf-8?Q?=C3?= =?utf-8?Q?b?=") == "a =?utf-8?Q?=C3?= b");
}

// What follows from the words' texts and charsets, whatever RFC 2047 forbids of their form.
TEST_CASE("encoded words that only forgiving programs decode are decoded loosely") {
    const char* const address = "ceo@bank.example";
    for (const char* text :
         {"=?utf-8?Q?ceo=40bank.example?=", "=?utf-8?q?ceo=40bank?= =?UTF-8?Q?.example?=",
          "=?utf-8?Q?ceo=?= =?utf-8?Q?40bank.example?=", "=?utf-8?B?Y2VvQGJh-bmsuZXhhbXBsZQ==*?=",
          "=?utf-8?B?Y2VvQGJhbmsu?= =?utf-8?B?ZXhhbXBsZQ?=", "=?utf-8?B?Y2VvQA==?= =?utf-8?B?YmFuay5leGFtcGxl?=",
          "=?utf-8?B?Y2Vv?= =?utf-8?B?QGJ?= =?utf-8?B?hbmsuZXhhbXBsZQ==?=", "=??Q?ceo=40bank.example?=",
          "=?x-foo?Q?ceo=40bank.example?=", "=?unicode-1-1-utf-7?Q?ceo+AEA-bank.example?=",
          "=? utf-8*en ?Q?ceo=40bank.example?=", "=?utf-8?Q?ceo=40bank.example"})
        CHECK(decode_words_loosely(text) == address);
    CHECK(decode_words_loosely("a =?utf-8?Q?ceo=40bank.example Boss?= b") == "a ceo@bank.example Boss b");
    const std::string replaced = "\357\277\275";  // U+FFFD
    CHECK(decode_words_loosely("=?utf-8?Q?ceo=40b=FF?=") == "ceo@b\xff ceo@b" + replaced);
    CHECK(decode_words_loosely("=?utf-7?Q?ceo+AEA-b=FF?=") == "ceo+AEA-b\xff ceo@b" + replaced);
    CHECK(decode_words_loosely("=?utf-7?Q?=FFceo+AEA-?=") == "\377ceo+AEA- " + replaced + "ceo@");
    CHECK(decode_words_loosely("=?iso-2022-jp?B?/2NlbxskQiF3GyhC?=") ==
          "\377ceo\33$B!w\33(B " + replaced + "ceo\357\274\240");
    CHECK(decode_words_loosely("=?x-foo?Q?a=FF?=") == "a\xff");
    CHECK(decode_words_loosely("=?utf-8?Q?ceo=40bank.example=?=") == "ceo@bank.example=");
    CHECK(decode_words_loosely("=?utf-8?Q?a?= =?utf-8?B?Yg==?= c") == "ab c");
    CHECK(decode_words_loosely("=?utf-8?Q?=4?=") == "=4");
    for (const char* text : {"", "=?", "=?utf-8", "=?utf-8?X?a?=", "a =? b ?", "=?utf-8?Q"})
        CHECK(decode_words_loosely(text) == text);
}

// After python's codecs, which know the charsets and decode each word by itself.
TEST_CASE("encoded words are decoded each by itself too") {
    using Texts = std::vector<std::string>;
    const std::string replaced = "\357\277\275";  // U+FFFD
    CHECK(decode_words_apart("a =?utf-8?Q?b?= =?utf-8?B?Yw==?= d") == Texts{"a bc d"});
    CHECK(decode_words_apart("=?iso-2022-jp?Q?=1B$B?= =?iso-2022-jp?Q?AB?=") == Texts{"AB"});
    CHECK(decode_words_apart("=?gbk?Q?a=81?= =?gbk?Q?@b?=") == Texts{"a" + replaced + "@b"});
    CHECK(decode_words_apart("=?gbk?Q?a=81@?=") == Texts{"a\344\270\202"});
    CHECK(decode_words_apart("=?cp936?Q?a=81@?= b") == Texts{"a\344\270\202 b", "a\201@ b"});
    CHECK(decode_words_apart("=?x-foo?Q?a=81@?=") == Texts{"a\201@"});
    CHECK(decode_words_apart("=?utf-8?X?a?= =?") == Texts{"=?utf-8?X?a?= =?"});
}

TEST_CASE("a charset with signs of ASCII in its characters is told, unless all programs know its name") {
    for (const char* name : {"cp936", "MS936", "windows-936", "gb13000", "cp932", "windows-932", "ibm943", "cp950",
                             "big5hkscs", "bigfive", "johab", "iso-2022-jp-2"}) {
        CAPTURE(name);
        CHECK(hides_ascii(name));
    }
    for (const char* name :
         {"gbk", "GB18030", "big5", "Shift_JIS", "windows-31j", "x-sjis", "iso-2022-jp", "utf-8", "utf-7", "iso-8859-1",
          "windows-1252", "euc-jp", "euc-kr", "koi8-r", "x-foo", "utf-16", ""}) {
        CAPTURE(name);
        CHECK(!hides_ascii(name));
    }
}

TEST_CASE("fields are closed up as some programs do") {
    using Texts = std::vector<std::string>;
    CHECK(closed_up_forms("Eve <a@b>").empty());
    CHECK(closed_up_forms("a\1b\177c") == Texts{"abc"});
    CHECK(closed_up_forms("=?a?= b =?c?=") == Texts{"=?a?= b=?c?="});
    CHECK(closed_up_forms("=?a?=\xc2\xa0 =?c?=") == Texts{"=?a?==?c?="});
    CHECK(closed_up_forms("b =?c?=").empty());
    CHECK(closed_up_forms("a(b(c\\)))d") == Texts{"ad"});
    CHECK(closed_up_forms("\"a(b) \"c") == Texts{"a(b)c"});
    CHECK(closed_up_forms("a\1(b)c") == Texts{"a(b)c", "ac"});
    for (const char* text : {"a(b", "a\"b", "a)b", "\"a b\"@c", "a\\"})
        CHECK(closed_up_forms(text).empty());
}

// Bytes and names from IANA's registry, the WHATWG's Encoding standard and python's codecs.
TEST_CASE("charsets are known by other names than iconv's too") {
    CHECK(decode_words("=?iso-8859-8-i?Q?=F9=EC=E5=ED?=") == "\327\251\327\234\327\225\327\235");
    CHECK(decode_words("=?ISO-8859-6-E?Q?=C7?=") == "\330\247");
    for (const char* name : {"utf-7", "unicode-1-1-utf-7", "unicode-2-0-utf-7", "x-unicode-2-0-utf-7",
                             "csUnicode11UTF7", "csUTF7", "CSUTF7"}) {
        CAPTURE(name);
        CHECK(decode_words("=?" + std::string(name) + "?Q?+AEA-?=") == "@");
        CHECK(decode_words("=?" + std::string(name) + "?B?K0FFQS0=?=") == "@");
    }
    for (const char* name : {"IBM01140", "ibm1140", "cp1140", "IBM01047", "ibm1047", "ibm037"}) {
        CAPTURE(name);
        CHECK(decode_words("=?" + std::string(name) + "?Q?=83=85=96=7C?=") == "ceo@");
    }
    CHECK(decode_words("=?ks_c_5601-1987?B?x9GxuQ==?=") == "\355\225\234\352\265\255");
    CHECK(decode_words("=?x-sjis?B?k/qWew==?=") == "\346\227\245\346\234\254");
    CHECK(decode_words("=?x-mac-roman?Q?=8A?=") == "\303\244");
    CHECK(decode_words("=?x-cp1252?Q?=80?=") == "\342\202\254");
    CHECK(decode_words("=?dos-866?Q?=80?=") == "\320\220");
    CHECK(decode_words("=?windows1252?Q?=E4?=") == "\303\244");
    CHECK(decode_words("=?macroman?Q?=8A?=") == "\303\244");
    CHECK(decode_words("=?windows-1252?Q?=E4?=") == "\303\244");
    CHECK(decode_words("=?win-1252?Q?=E4?=") == "\303\244");
    CHECK(decode_words("=?latin-1?Q?=E4?=") == "\303\244");
    CHECK(decode_words("=?windows-874?Q?=A1?=") == "\340\270\201");
    CHECK(decode_words("=?Windows-31J?B?gqA=?=") == "\343\201\202");
    CHECK(decode_words("=?windows-932?B?gqA=?=") == "\343\201\202");
    CHECK(decode_words("=?x-windows-949?B?sKE=?=") == "\352\260\200");
    CHECK(decode_words("=?MS949?B?sKE=?=") == "\352\260\200");
}

TEST_CASE("a charset that cannot be converted is told") {
    for (const char* text :
         {"Eve", "=?utf-8?Q?Eve?=", "=?utf-8?Q?=FF?=", "=?us-ascii*en?Q?Ev=E9?=", "=??Q?Eve?=",
          "=?Unknown-8bit?Q?Ev=E9?=", "=?utf-7?Q?+AEA-?=", "=?x-foo?X?a?=", "=?cp850?Q?=84?=", "=?shift_jis?Q?a?=",
          "=?euc-kr?Q?a?=", "=?gb2312?B?xOO6ww==?=", "=?iso-2022-jp?B?GyRCJCIbKEI=?=", "=?", "=?x-foo"}) {
        CAPTURE(text);
        CHECK(!unreadable_charset(text));
    }
    CHECK(unreadable_charset("=?X-Foo?Q?Eve?=") == "x-foo");
    for (const char* text : {"=?x-foo?b?RXZl?=",
                             "=?x-foo*en?Q?Eve?=",
                             "a =? x-foo ?Q?E v e",
                             "=?x-foo?Q?Eve",
                             "=?=?x-foo?Q?Eve?=",
                             "=?utf-8?Q?=?x-foo?Q?Eve?=",
                             "=?utf-8?Q?Eve?= =?x-foo?Q?Eve?=",
                             "=?x-foo?Q?Eve?= =?utf-8?Q?Eve?=",
                             "=?ibm00000?Q?a?=",
                             "=?ibm?Q?a?=",
                             "=?x-?Q?a?=",
                             "=?utf-16?B?AEA=?=",
                             "=?ucs-2?B?AEA=?=",
                             "=?utf-32?B?AAAAQA==?=",
                             "=?utf-8//IGNORE?Q?a?=",
                             "=?x-imap4-modified-utf7?Q?&AEA-?=",
                             "=?ibm037?Q?=83?=",
                             "=?iso646-de?Q?a?=",
                             "=?DE?Q?a?=",
                             "=?koi-7?Q?a?=",
                             "=?iso-2022-kr?Q?a?=",
                             "=?iso2022cn?Q?a?="}) {
        CAPTURE(text);
        CHECK(unreadable_charset(text));
    }
}

TEST_CASE("an encoded word that programs read differently is told") {
    for (const char* text :
         {"Eve", "=?utf-8?B?RXZl?=", "=?utf-8?b?RXZlIA==?=", "=?utf-8?B?RXZlIEU=?=", "=?utf-8?B?RXZlIA?=",
          "=?utf-8?B?"
          "?=",
          "=?utf-8?Q?a=20!?=", "=?utf-8?Q?cut=?=", "=?utf-8?Q?cut=2?=", "=?utf-8?B?RXZl?=\r\n =?utf-8?B?IEU=?="}) {
        CAPTURE(text);
        CHECK(!has_odd_word(text));
    }
    for (const char* text :
         {"=?utf-8?B?YW=xpY2U=?=", "=?utf-8?B?RXZl!?=", "=?utf-8?B?RXZl ?=", "=?utf-8?B?RXZlI?=", "=?utf-8?B?RXZl===?=",
          "=?utf-8?B?RXZl=?=", "=?utf-8?B?RXZlIA=?=", "=?utf-8?B?RX-l?=", "=?utf-8?B?RXZl?= =?utf-8?b?*YW?=",
          "=?utf-8?B?RXZl <eve@example.org>", "=?utf-8?Q?alice= 40example.gov?=",
          "=?utf-8?q?alice=\r\n 40example.gov?=", "=?utf-8?Q?alice=4 0example.gov?="}) {
        CAPTURE(text);
        CHECK(has_odd_word(text));
    }
}

TEST_CASE("the names beside the addresses of a field are told as programs show them") {
    using Names = std::vector<std::string>;
    CHECK(names_beside_addresses("alice@example.gov").empty());
    CHECK(names_beside_addresses("\"alice\\@example.gov\" <eve@example.org>") == Names{"alice@example.gov"});
    CHECK(names_beside_addresses("alice(x)@example.gov <eve@example.org>") == Names{"alice @example.gov", "x"});
    CHECK(names_beside_addresses("\"alice\"@example.gov <eve@example.org>") == Names{"alice@example.gov"});
    CHECK(names_beside_addresses("\"a\\@b\": eve@example.org (c\\@d(e)), Eve <eve@example.org>;") ==
          Names{"a@b", "Eve", "c@d(e)"});
    CHECK(names_beside_addresses("=?utf-8?q?a=40b?= <eve@example.org>") == Names{"=?utf-8?q?a=40b?="});
    CHECK(names_beside_addresses("eve@example.org (never closed") == Names{"never closed"});
}

// Expected values from python's email.utils.parsedate_to_datetime where it reads the date at all.
TEST_CASE("dates are read and given in UTC") {
    CHECK(parse_date("Fri, 21 Nov 1997 09:55:06 -0600") == "1997-11-21T15:55:06Z");
    CHECK(parse_date("Tue, 1 Jul 2003 10:52:37 +0200") == "2003-07-01T08:52:37Z");
    CHECK(parse_date("Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n               -0330 "
                     "(Newfoundland Time)") == "1969-02-14T03:02:00Z");
    CHECK(parse_date("Mon, 29 Feb 2016 23:59:59 EDT") == "2016-03-01T03:59:59Z");
    CHECK(parse_date("Sat, 31 Dec 2016 23:59:30 +0000") == "2016-12-31T23:59:30Z");
    CHECK(parse_date("Sat, 31 Dec 2016 23:59:30 +1400") == "2016-12-31T09:59:30Z");
    CHECK(parse_date("Sat, 31 Dec 2016 23:59:30 -1200") == "2017-01-01T11:59:30Z");
    for (const char* zone : {"-9959", "+9959", "+2400", "-1401", "+1500", "+1360"})
        CHECK(parse_date("Sat, 31 Dec 2016 23:59:30 " + std::string(zone)).empty());
}

TEST_CASE("obsolete dates are read (RFC 5322 section 4.3 and appendix A.6)") {
    CHECK(parse_date("21 Nov 97 09:55:06 GMT") == "1997-11-21T09:55:06Z");
    CHECK(parse_date("1 Jan 00 00:00:00 PST") == "2000-01-01T08:00:00Z");
    CHECK(parse_date("1 Jan 49 00:00:00 Z") == "2049-01-01T00:00:00Z");
    CHECK(parse_date("1 Jan 50 00:00:00 UT") == "1950-01-01T00:00:00Z");
    CHECK(parse_date("1 Jan 099 00:00:00 A") == "1999-01-01T00:00:00Z");
    CHECK(parse_date("Fri, 21 Nov 1997 09(comment):   55  :  06 -0600") == "1997-11-21T15:55:06Z");
}

TEST_CASE("what is no date gives nothing") {
    for (const char* text :
         {"", "yesterday", "30 Feb 2024 10:00:00 +0000", "1 Foo 2024 10:00:00 +0000", "1 Jan 2024 24:00:00 +0000",
          "1 Jan 2024 10:60:00 +0000", "1 Jan 2024 10:00:61 +0000", "1 Jan 2024 10:00:00", "1 Jan 2024 10:00:00 +1",
          "1 Jan 2024 10:00:00 +0060", "1 Jan 1899 10:00:00 +0000", "1 Jan 20240 10:00:00 +0000",
          "-1 Jan 2024 10:00:00 +0000", "1 Jan 2024 10:00:00 +0000 junk", "31 Dec 9999 23:00:00 -0200",
          "1 anF 2024 10:00:00 +0000", "2024-01-01T10:00:00Z"})
        CHECK(parse_date(text).empty());
}

TEST_CASE("entries of an address list that are no address are told, and nothing else is") {
    using Entries = std::vector<std::string>;
    CHECK(unreadable_addresses("bob@example.gov, broken@@x, notanaddress") == Entries{"broken@@x", "notanaddress"});
    CHECK(unreadable_addresses("carol at example.gov") == Entries{"carol at example.gov"});
    CHECK(unreadable_addresses("Bob <>, Carol <carol at example.gov>") ==
          Entries{"Bob <>", "Carol <carol at example.gov>"});
    CHECK(unreadable_addresses("Friends: bob@example.gov, dan;") == Entries{"dan"});
    CHECK(unreadable_addresses("Bob <bob@example.gov> by hand, dan@example.gov") == Entries{"by hand"});
    CHECK(unreadable_addresses("Bob <bob@example.gov") == Entries{});
    for (const char* readable :
         {"", " , ,", "undisclosed-recipients:;", "(nobody)", "bob@example.gov (Bob, at work)", "\"B, b\"@example.gov",
          "\"Carol, C.\" <carol@example.gov>", "<@relay.example.gov,@b.example.gov:bob@example.gov>",
          "A: a@example.gov, B <b@example.gov>;, c@example.gov"}) {
        INFO(readable);
        CHECK(unreadable_addresses(readable).empty());
    }
}

// As Python's email.header.decode_header reads them.
TEST_CASE("text beyond ASCII becomes encoded words, plain text stays") {
    CHECK(encode_words("Plain text") == "Plain text");
    CHECK(encode_words("Gr\xc3\xbc\xc3\x9f"
                       "e an alle") == "=?utf-8?B?R3LDvMOfZSBhbiBhbGxl?=");
    CHECK(encode_words("To J\xc3\xbcrgen") == "To =?utf-8?B?SsO8cmdlbg==?=");
    CHECK(encode_words("a =?b") == "a =?utf-8?B?PT9i?=");
    CHECK(encode_words("caf\xe9 \xe2\x82\xac \x80") == "=?utf-8?B?Y2Fmw6kg4oKsIOKCrA==?=");
    CHECK(encode_words("\x81\xc3") == "=?utf-8?B?woHDgw==?=");
    const std::string word(600, 'y');
    CHECK(decode_words(encode_words("To " + word)) == "To " + word);
    CHECK(encode_words("To " + word).size() > word.size() + 100);
    std::string many;
    for (int i = 0; i < 100; ++i)
        many += "\xe4\xbe\x8b";
    const std::string encoded = encode_words(many);
    CHECK(decode_words(encoded) == many);
    CHECK(encoded.find(' ') <= 75);
}

TEST_CASE("the names of an address list become encoded words, the addresses stay") {
    CHECK(encode_names("Bob <bob@example.gov>,\"Carol, C.\" <carol@example.gov>") ==
          "Bob <bob@example.gov>, \"Carol, C.\" <carol@example.gov>");
    CHECK(encode_names("\"M\xc3\xbcller, K\" <k@example.gov>, J. Sm\xefth<j@example.gov>") ==
          "=?utf-8?B?TcO8bGxlciwgSw==?= <k@example.gov>, =?utf-8?B?Si4gU23Dr3Ro?= <j@example.gov>");
    CHECK(encode_names("Gr\xc3\xbcne: a@example.gov, =?utf-8?Q?B?= <b@example.gov>; c@example.gov (\xc3\xbc)") ==
          "=?utf-8?B?R3LDvG5l?= : a@example.gov, =?utf-8?Q?B?= <b@example.gov>; c@example.gov (=?utf-8?B?w7w=?=)");
    for (const char* kept :
         {"b\xc3\xb3@ex\xc3\xa4mple.gov", "undisclosed-recipients:;", "<@a.gov,@b.gov:bob@example.gov>",
          "Bob <bob@example.gov", "\"(\xc3\xbc\"@example.gov", "a@[(\xc3\xbc], b@example.gov", ""})
        CHECK(encode_names(kept) == kept);
    CHECK(encode_names("<b@example.gov>\xc3\xbc: a@example.gov;") ==
          "<b@example.gov> =?utf-8?B?w7w=?= : a@example.gov;");
    const std::string name(600, 'y');
    CHECK(parse_addresses(encode_names(name + " <a@example.gov>")).at(0).display_name == name);
    CHECK(encode_names(name + " <a@example.gov>").find(' ') < 76);
}
