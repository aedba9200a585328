#include "mime/shown_text.h"

#include <catch2/catch.hpp>

using namespace p11mime::mime;

// Signs as Unicode's confusables.txt has them, scripts as its ScriptExtensions.txt.
TEST_CASE("what looks like a dot is one, unless it is of the letters beside it") {
    CHECK(plain_signs("a.b@c") == "a.b@c");
    for (const char* sign : {"\xea\x93\xb8", "\xe3\x83\xbb", "\xef\xbd\xa5", "\xe2\x80\xa4", "\xc2\xb7", "\xce\x87",
                             "\xe2\x80\xa7", "\xe2\x8b\x85", "\xef\xbc\x8e", "\xe3\x80\x82", "\xd9\xa0", "\u02cc",
                             "\u02f3",       "\u2804",       "\u2820",       "\u2840",       "\u2880",   "\u302a",
                             "\u302b",       "\u302c",       "\u302d",       "\u302e",       "\u302f"}) {
        CAPTURE(sign);
        CHECK(plain_signs("k" + std::string(sign) + "z") == "k.z");
        CHECK(plain_signs("\xd0\xba" + std::string(sign) + "\xd0\xb5") == "\xd0\xba.\xd0\xb5");
    }
    for (const char* word :
         {"Gal\xc2\xb7la", "\xe3\x82\xa2\xe3\x83\xbb\xe3\x82\xa4", "\xe5\xb1\xb1\xe3\x83\xbb\xe5\xa4\xaa",
          "\xea\x93\xac\xea\x93\xb8\xea\x93\xa0", "\xd9\xa2\xd9\xa0\xd9\xa2", "a \xc2\xb7 b", "a \xe2\x80\xa2 b",
          "\u2801\u2804\u2803", "\uac00\u302e\ub098", "\u3105\u302a\u3106", "\u5c71\u302a\u5c71"}) {
        CAPTURE(word);
        CHECK(plain_signs(word) == word);
    }
}

TEST_CASE("an a in a circle is the sign of an address, but not in a word of such letters") {
    CHECK(plain_signs("x\xe2\x93\x90z") == "x(a)z");
    CHECK(plain_signs("x\xe2\x92\xb6z") == "x(a)z");
    CHECK(plain_signs("xa\xe2\x83\x9dz") == "x(a)z");
    CHECK(plain_signs("xa\u0301\u0323\u20ddz") == "x(a)z");
    CHECK(plain_signs("x(\u24d0)z") == "x(@)z");
    CHECK(plain_signs("x[\U0001f170]z") == "x[@]z");
    CHECK(plain_signs("x (\u229a) z") == "x (@) z");
    CHECK(plain_signs("x(a\u20dd)z") == "x(@)z");
    CHECK(plain_signs("x \u24d0 z") == "x @ z");
    CHECK(plain_signs("1\u24d0z") == "1@z");
    CHECK(plain_signs("\xe2\x93\xa2\xe2\x93\x90\xe2\x93\xa2") == "sas");
    CHECK(plain_signs("x\xe3\x85\xa4y\xe2\xa0\x80z") == "x y z");
}

// Each mark with all that follow it, or put in its order among all, would be so many steps that this case did not end
// within its time. UAX #15 section 13 has at most 30.
TEST_CASE("a letter with a million marks is read in as many steps") {
    constexpr std::size_t kCount = 1'000'000;
    for (const std::string_view marks : {"\u0301\u0301", "\u0301\u0323"}) {
        std::string marked = "x";
        for (std::size_t i = 0; i < kCount; i += 2)
            marked += marks;
        CHECK(plain_signs(marked + "z").size() == 2 + 30 * 2);
    }
}

TEST_CASE("brackets and signs beyond ASCII go for those of ASCII, letters and their marks stay") {
    CHECK(plain_brackets("a\u2768b\u2769\u3014\u3015\u27e8\u27e9\u3010\u3011[\u201c\u201a\u00e9") ==
          "a(b)()()()[\u201c\u201a\u00e9");
    CHECK(plain_punctuation("\u201ca\u2013b\u201d\u2713\u2028c, \u00e9e\u0301\u0967\u5c71\u30fb") ==
          "\"a\"b\"\" c, \u00e9e\u0301\u0967\u5c71\"");
}

TEST_CASE("blanks that hardly show are left out, others stay") {
    CHECK(without_narrow_blanks("a b\tc\r\nd") == "a bcd");
    CHECK(without_narrow_blanks("a\xe2\x80\x8a"
                                "b\xe2\x80\xaf"
                                "c\xe3\x85\xa4"
                                "d") == "abcd");
    for (const char* wide : {"a\xc2\xa0"
                             "b",
                             "a\xe2\x80\x83"
                             "b",
                             "a\xe3\x80\x80"
                             "b",
                             "\xe2\x80"})
        CHECK(without_narrow_blanks(wide) == wide);
}

// UAX #9: letters after marks and in isolates are put in the order of what is around them.
TEST_CASE("a text is seen in the order that a screen has it in") {
    CHECK_FALSE(visual_order("abc", true));
    CHECK_FALSE(visual_order("\xc3\xa4 (b)", true));
    CHECK(visual_order("a \xd7\x90\xd7\x91 (b)", false) == "a \xd7\x91\xd7\x90 (b)");
    CHECK(visual_order("a \xd7\x90\xd7\x91 (b)", true) == "(b) \xd7\x91\xd7\x90 a");
    CHECK(visual_order("\xe2\x81\xa7\xe2\x81\xa6"
                       "b\xe2\x81\xa9.\xe2\x81\xa6"
                       "a\xe2\x81\xa9\xe2\x81\xa9",
                       false) == "a.b");
    CHECK(visual_order("b\xe2\x80\x8f.\xe2\x80\x8f"
                       "a",
                       true) == "a.b");
}
