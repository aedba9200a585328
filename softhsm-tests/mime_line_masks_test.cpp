// What looks for line ends with vectors, held against plain loops over many small texts.

#include "mime/line_masks.h"

#include <catch2/catch.hpp>
#include <random>
#include <set>

#include "mime/line_endings.h"
#include "mime/line_inspector.h"
#include "softhsm-tests/mime_pieces.h"

using namespace p11mime;
using namespace p11mime::mime;

namespace {

/// Texts makes texts in which line ends, and what spoils lines, are frequent or rare.
class Texts {
  public:
    std::string next() {
        const std::size_t size = pick(700), every = 1 + pick(20);
        std::vector<std::string> words{"\r\n", kWords[pick(kWords.size())], kWords[pick(kWords.size())]};
        words.resize(1 + pick(3));
        std::string text;
        while (text.size() < size)
            text += pick(every) == 0 ? words[pick(words.size())] : std::string(1 + pick(30), 'x');
        return text;
    }
    std::size_t pick(std::size_t below) { return random_() % below; }

  private:
    const std::vector<std::string> kWords{"\r\n",
                                          "x",
                                          "\n",
                                          "\r",
                                          "F",
                                          "From ",
                                          "\nFrom",
                                          " \r\n",
                                          "\t\n",
                                          "\r\nFrom x",
                                          " \r",
                                          "\x80",
                                          "\n\n",
                                          "\r\r",
                                          std::string(990, 'y'),
                                          std::string(1, '\0')};
    std::minstd_rand random_{3};
};

std::string canonical_of(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) out += '\r';
        out += text[i];
    }
    return out;
}

std::string lf_of(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (text.compare(i, 2, "\r\n") != 0) out += text[i];
    return out;
}

std::string_view problem_of(const std::string& text) {
    bool eight_bit = false, lone_cr = false, lone_lf = false, long_line = false, white = false, from = false;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t lf = text.find('\n', at);
        std::string line = text.substr(at, lf - at);
        at = lf == std::string::npos ? text.size() : lf + 1;
        const bool crlf = lf != std::string::npos && line.ends_with('\r');
        if (crlf) line.pop_back();
        lone_lf = lone_lf || (lf != std::string::npos && !crlf);
        lone_cr = lone_cr || line.find('\r') != std::string::npos;
        long_line = long_line || line.size() > 998;
        white = white || line.ends_with(' ') || line.ends_with('\t');
        from = from || line.starts_with("From ");
    }
    for (const char c : text)
        eight_bit = eight_bit || static_cast<Byte>(c) >= 0x80;
    if (eight_bit) return "8-bit bytes";
    if (text.find('\0') != std::string::npos) return "NUL bytes";
    if (lone_cr) return "a carriage return that ends no line";
    if (lone_lf) return "a line feed without a carriage return";
    if (long_line) return "a line over 998 bytes";
    if (white) return "white space at the end of a line";
    return from ? "a line that starts with \"From \"" : "";
}

std::string_view problem_in_pieces(const std::string& text, std::size_t size) {
    LineInspector inspector;
    test::PieceSource source(text, size);
    for (ByteView piece = source.pull(); !piece.empty(); piece = source.pull())
        inspector.push(piece);
    inspector.finish();
    return inspector.problem();
}

std::string canonical_in_pieces(const std::string& text, std::size_t size) {
    test::PieceSource source(text, size);
    return test::text_from(*canonical(source));
}

std::string pushed_canonical_in_pieces(const std::string& text, std::size_t size) {
    BytesSink out;
    CanonicalSink sink(out);
    test::push_in_pieces(sink, text, size);
    return std::string(text_of(out.bytes));
}

std::string lf_in_pieces(const std::string& text, std::size_t size) {
    BytesSink out;
    LfSink sink(out);
    test::push_in_pieces(sink, text, size);
    sink.finish();
    return std::string(text_of(out.bytes));
}

}  // namespace

TEST_CASE("the masks of bytes say where line ends are, in each version") {
    std::string bytes;
    for (int c = 0; c < 256; ++c)
        bytes += std::string(1, static_cast<char>(c)) + "x\r\nFy \n\t\n";
    bytes.resize(bytes.size() / kMaskedBytes * kMaskedBytes);
    CHECK(fill_masks_versions().size() > 1);
    for (FillMasks* version : fill_masks_versions()) {
        std::vector<LineMasks> masks(bytes.size() / kMaskedBytes);
        const ByteKinds kinds = (*version)(bytes_of(bytes), masks);
        CHECK(kinds.nul);
        CHECK(kinds.eight_bit);
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            const auto has = [&](std::uint64_t mask) { return (mask >> i % kMaskedBytes & 1) != 0; };
            const LineMasks& mask = masks[i / kMaskedBytes];
            const char c = bytes[i];
            if (has(mask.lf) != (c == '\n') || has(mask.cr) != (c == '\r') || has(mask.f) != (c == 'F') ||
                has(mask.white) != (c == ' ' || c == '\t'))
                FAIL("byte " << i);
        }
        for (int c = 0; c < 256; ++c) {
            std::string block(kMaskedBytes, 'x');
            block[static_cast<std::size_t>(c) % kMaskedBytes] = static_cast<char>(c);
            const ByteKinds of_one = (*version)(bytes_of(block), std::span(masks).first(1));
            if (of_one.nul != (c == 0) || of_one.eight_bit != (c >= 128)) FAIL("byte " << c);
        }
    }
}

TEST_CASE("the first line that starts with two dashes is found wherever it is, in each version") {
    CHECK(find_dashed_line_versions().size() > 1);
    for (FindDashedLine* version : find_dashed_line_versions())
        for (std::size_t size = 0; size <= 200; ++size)
            for (std::size_t at = 0; at <= size; ++at) {
                // Memory of its own, so that a sanitizer sees what goes beyond.
                std::string text = std::string(at, '-') + "\n--" + std::string(size, '\n');
                text.resize(size);
                const Bytes bytes(text.begin(), text.end());
                const std::size_t expected = at + 3 <= size ? at : size;
                if ((*version)(bytes) != expected) FAIL("at " << at << " of " << size);
            }
}

TEST_CASE("line ends are converted and lines judged in texts of any kind, in pieces of any size") {
    Texts texts;
    std::set<std::string_view> problems;
    for (int i = 0; i < 3000; ++i) {
        const std::string text = texts.next();
        const std::size_t size = texts.pick(3) == 0 ? 0 : 1 + texts.pick(200);
        CAPTURE(text, size);
        if (canonical_in_pieces(text, size) != canonical_of(text)) FAIL("canonical form");
        if (pushed_canonical_in_pieces(text, size) != canonical_of(text)) FAIL("canonical form, pushed");
        if (lf_in_pieces(text, size) != lf_of(text)) FAIL("LF form");
        const std::string_view problem = problem_of(text);
        if (problem_in_pieces(text, size) != problem) FAIL("problem: " << problem);
        problems.insert(problem);
    }
    CHECK(problems.size() == 8);
}
