#include "mime/unicode.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <numeric>

using namespace p11mime::mime;

namespace {

bool icu_is_loaded() {
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);)
        if (line.find("libicu") != std::string::npos) return true;
    return false;
}

}  // namespace

// A-labels as Python's idna package has them (IDNA2008).
TEST_CASE("domains beyond ASCII are compared as A-labels and shown as letters") {
    CHECK(ascii_domain("M\xc3\xbcnchen.Example") == "xn--mnchen-3ya.example");
    CHECK(ascii_domain("stra\xc3\x9f"
                       "e.example") == "xn--strae-oqa.example");
    CHECK(ascii_domain("\xe4\xbe\x8b.example") == "xn--fsq.example");
    CHECK(unicode_domain("xn--mnchen-3ya.example") == "m\xc3\xbcnchen.example");
    CHECK(unicode_domain("XN--MNCHEN-3YA.example") == "m\xc3\xbcnchen.example");
    CHECK(unicode_domain("xn--\x80.example") == "xn--\x80.example");
}

TEST_CASE("ASCII is compared without ICU") {
    const bool before = icu_is_loaded();
    CHECK(ascii_domain("Example.GOV") == "example.gov");
    CHECK(unicode_domain("Example.GOV") == "example.gov");
    CHECK_FALSE(mixes_scripts("alice@example.gov"));
    CHECK(ascii_skeleton("Example.GOV") == "exarnple.gov");
    CHECK(icu_is_loaded() == before);
    CHECK(skeleton("a") == "a");
    CHECK(icu_is_loaded());
}

// NFKC as Python's unicodedata has it.
TEST_CASE("compatibility forms become plain letters, and what shows nothing goes") {
    CHECK(plain_letters("a\xef\xbc\xa0"
                        "b\xef\xb9\xab"
                        "c\xe3\x80\x80"
                        "d") == "a@b@c d");
    CHECK(plain_letters("\xef\xac\x81\xe2\x84\xa2") == "fiTM");
    CHECK(plain_letters("a\xe2\x80\x8d"
                        "b\xc2\xad"
                        "c\xf3\xa0\x81\x81"
                        "d\xef\xb8\x8f") == "abcd");
    CHECK(plain_letters("stra\xc3\x9f"
                        "e M\xc3\xbc") ==
          "stra\xc3\x9f"
          "e M\xc3\xbc");
    CHECK(plain_letters("\xef\xb7\xba") ==
          "\xd8\xb5\xd9\x84\xd9\x89 \xd8\xa7\xd9\x84\xd9\x84\xd9\x87 \xd8\xb9\xd9\x84\xd9\x8a\xd9\x87 "
          "\xd9\x88\xd8\xb3\xd9\x84\xd9\x85");
    CHECK(plain_letters("a\xff"
                        "b") ==
          "a\xef\xbf\xbd"
          "b");
    CHECK(plain_letters("").empty());
}

// Pairs of Unicode's confusables.txt.
TEST_CASE("texts that look alike have one skeleton") {
    CHECK(skeleton("a1ice@example.gov") == skeleton("alice@example.gov"));
    CHECK(skeleton("aIice@example.gov") == skeleton("alice@example.gov"));
    CHECK(skeleton("example.g0v") == skeleton("example.gov"));
    CHECK(skeleton("rnary@example.gov") == skeleton("mary@example.gov"));
    CHECK(skeleton("\xd0\xb0lice@example.gov") == skeleton("alice@example.gov"));
    CHECK(skeleton("alice@ex\xd0\xb0mple.gov") == skeleton("alice@example.gov"));
    CHECK(skeleton("bob@example.gov") != skeleton("alice@example.gov"));
}

TEST_CASE("ASCII has the skeleton that ICU gives it") {
    const auto check = [](const std::string& text) {
        CAPTURE(text);
        CHECK(ascii_skeleton(text) == skeleton(text));
    };
    std::string all(128, '\0');
    std::iota(all.begin(), all.end(), '\0');
    for (const char first : all) {
        check({first});
        for (const char second : all)
            check({first, second});
    }
    for (const char* text : {"", "mary.mcMillan@EXAMPLE.gov", "rnary@exarnple.gov", "m0m|IMIl1@c1oud.example", "rrnnm",
                             "\"o'mail`%\"@x0x.example", "\x7f\x01@\t"})
        check(text);
}

TEST_CASE("what shows nothing makes no other skeleton") {
    for (const char* twin : {"ali\xe2\x80\x8d"
                             "ce@example.gov",
                             "ali\xe2\x80\x8b\xc2\xad"
                             "ce@example.gov",
                             "ali\xcc\x87"
                             "ce@example.gov",
                             "al\xcc\x87i"
                             "ce@example.gov",
                             "al\xc4\xb1\xcc\x87"
                             "ce@example.gov",
                             "ali\xcc\x87\xf3\xa0\x81\x81\xcc\x87"
                             "ce@example.gov",
                             "alice@example.gov\xf3\xa0\x81\x81"}) {
        CAPTURE(twin);
        CHECK(skeleton(twin) == skeleton("alice@example.gov"));
    }
    CHECK(skeleton("z\xcc\x87") != skeleton("z"));
    CHECK(skeleton("i\xcc\x81") != skeleton("i"));
    CHECK(
        mixes_scripts("ali\xcc\x87"
                      "ce"));
}

// Categories as Unicode's UnicodeData.txt has them.
TEST_CASE("a plain word has nothing that could go for a dot") {
    for (const char* word :
         {"", "alice_x", "R&D", "jane-doe", "O'Brien", "B\xc3\xbcro", "\xe5\x96\xb6\xe6\xa5\xad",
          "\xe3\x82\xa2\xe3\x83\xbb\xe3\x82\xa4", "\xe0\xa4\xa6\xe0\xa4\xbf", "V\xe1\xbb\x87t", "u\xe1\xb8\xb3",
          "\xf0\x9f\x9a\x80", "\xe1\xba\xb9govt", "\xd8\xa3\xd8\xad\xd9\x85\xd8\xaf", "A\xce\xb1Z",
          "X\xe7\xb7\x9a"
          "CT"}) {
        CAPTURE(word);
        CHECK(is_plain_word(word));
    }
    for (const char* word :
         {"bank.example", "a b", "24/7", "a@b", "a\xc2\xb7z", "a\xd9\xa0z", "a\xe2\x8b\x85z", "a\xe2\x80\xa4z",
          "ak\xcc\xa3z", "\xe1\xb8\xb3z", "B\xc3\xbcro.example", "a\xffz", "a\x01", "exampl\xe1\xba\xb9gov",
          "example\xcc\xa9"
          "com",
          "a\xe0\xa2\x87z", "a\xe0\xa2\x88z", "a\xd9\x9cz", "a\xd6\xb4z"}) {
        CAPTURE(word);
        CHECK_FALSE(is_plain_word(word));
    }
}

TEST_CASE("letters of several scripts in one word are noticed, those that are written together are not") {
    CHECK(mixes_scripts("p\xd0\xb0ypal"));
    CHECK_FALSE(mixes_scripts("m\xc3\xbcnchen"));
    CHECK_FALSE(mixes_scripts("\xd0\xbc\xd0\xb8\xd1\x80"));
    CHECK_FALSE(
        mixes_scripts("\xe4\xbe\x8b\xe3\x81\xae"
                      "abc"));
}
