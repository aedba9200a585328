#include "mime/uuencoded_files.h"

#include <catch2/catch.hpp>

#include "softhsm-tests/mime_pieces.h"

using namespace p11mime;
using namespace p11mime::mime;
using namespace p11mime::test;

namespace {

using Files = std::vector<std::pair<std::string, std::string>>;

Files files_in(const std::string& text, std::size_t most = 100) {
    std::vector<Files> found;
    for (const std::size_t piece_size : kPieceSizes) {
        found.emplace_back();
        PieceSource source(text, piece_size);
        UuencodedFiles files(source, most, [&](std::string_view label, ByteView front) {
            found.back().emplace_back(label, text_of(front));
        });
        CHECK(text_from(files) == text);
        CHECK(found.back() == found.front());
    }
    return found.front();
}

}  // namespace

TEST_CASE("a uuencoded file is found wherever it stands in a text") {
    const std::string content = "Pay 10.\r\n" + std::string(50, '\x80') + std::string(3, '\0') + "end";
    const Files one{{"644 file", content}};
    const std::string file = uuencoded(content);
    CHECK(files_in(file) == one);
    CHECK(files_in("Hello,\r\nthe file:\r\n\r\n" + file + "Alice\r\n") == one);
    CHECK(files_in(file + "\n" + uuencoded("x", "other")) == Files{one[0], {"644 other", "x"}});
    CHECK(files_in(file, 7) == Files{{"644 file", "Pay 10."}});
    CHECK(files_in(file.substr(0, file.rfind('`'))) == one);
    CHECK(files_in("begin 644 file\r#4&%Y\rend\r") == Files{{"644 file", "Pay"}});
    CHECK(files_in("begin 644 file\n#4&%Y trailing\n \nend \n") == Files{{"644 file", "Pay"}});
    CHECK(files_in("begin 644 file\n#4&\n\n!4\nend") == Files{{"644 file", std::string("P`\0P", 4)}});
    CHECK(files_in("begin\t644  \"a b\" \n!4\nbegin 600 x\n!4") == Files{{"644  \"a b", "P"}, {"600 x", "P"}});
}

TEST_CASE("other text is no uuencoded file") {
    for (const char* text : {"", "begin", "begin 644 file", "begin 644 file\n`\nend\n", "begin 644 file\nend\n!4\n",
                             " begin 644 file\n!4\nend\n", "> begin 644 file\n!4\nend\n", "beginning\n!4\nend\n",
                             "Begin 644 file\n!4\n", "#4&%Y\nend\n"}) {
        CAPTURE(text);
        CHECK(files_in(text).empty());
    }
}
